"""What the site holds, and in which order. A page in docs/ that is not named comes last.

A page is named by its path in the site. Those that are in neither docs/ nor the repository's root
are made from the source: see `generated`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from typing import Any

#: Files of the repository's root and where they stand in the site.
ROOT_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "skills/dropin-rerank/SKILL.md": "skill.md",
}

#: Sections, each with its pages, by name or pattern. The first that fits a page has it.
SECTIONS: dict[str, list[str]] = {
    "Start": ["index.md"],
    "Tutorials": [
        "tutorials/python.md",
        "tutorials/langchain.md",
        "tutorials/llamaindex.md",
        "tutorials/*",
        "examples.md",
    ],
    "How-to": [
        "how-to/index.md",
        "langchain.md",
        "llamaindex.md",
        "scorers.md",
        "how-to/servers.md",
        "how-to/azure.md",
        "llm.md",
        "cascade.md",
        "engine.md",
        "how-to/configuration-file.md",
        "how-to/cost-caps.md",
        "how-to/thresholds.md",
        "how-to/long-documents.md",
        "how-to/air-gapped.md",
        "how-to/proxy.md",
        "reading-results.md",
        "evaluation.md",
        "judgements.md",
        "doctor.md",
        "teach.md",
        "tracing.md",
        "bulk.md",
        "serve.md",
        "skill.md",
        "how-to/*",
    ],
    "Explanation": ["explanation/*", "parser.md"],
    "Choosing": ["choosing.md", "peers.md", "scale.md", "choosing/*"],
    "Migration": ["migration/*"],
    "Troubleshooting": [
        "troubleshooting/index.md",
        "troubleshooting/errors.md",
        "troubleshooting/notes.md",
        "troubleshooting/*",
    ],
    "Reference": ["reference/index.md", "reference/options.md", "reference/*", "versions.md"],
    "Project": ["changelog.md", "contributing.md", "security.md"],
}
#: Where a page stands that no pattern fits.
ELSE = "How-to"


def sections(pages: Collection[str]) -> dict[str, list[str]]:
    """The pages that there are, by section, in order: each once."""
    left = set(pages)
    placed: dict[str, list[str]] = {}
    for section, patterns in SECTIONS.items():
        placed[section] = []
        for pattern in patterns:
            fitting = sorted(page for page in left if fnmatch(page, pattern))
            placed[section] += fitting
            left -= set(fitting)
    placed[ELSE] += sorted(left)
    return {section: found for section, found in placed.items() if found}


def nav(titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The same as the site's builder wants it. `titles`: of the pages, by path."""
    made: list[dict[str, Any]] = []
    for section, found in sections(titles).items():
        below = [{titles[page]: page} for page in found]
        made.append({section: found[0] if len(found) == 1 else below})
    return made
