"""The site for programs: Markdown behind every page, llms.txt, llms-full.txt (https://llmstxt.org)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from . import reference
from .navigation import sections

ABOUT = (
    "Rerankers for LangChain, LlamaIndex and plain Python that keep their deadline, lose no "
    "document and say how they got there."
)


def write(site: Path, pages: Mapping[str, str]) -> None:
    """Write all of it into the built site. `pages`: their Markdown by path."""
    copies = {path: reference.written_out(text) for path, text in pages.items()}
    for path, text in copies.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    (site / "llms.txt").write_text(_index(copies), encoding="utf-8")
    (site / "llms-full.txt").write_text(_full(copies), encoding="utf-8")


def title(page: str) -> str:
    """A page's first heading, without its markup."""
    found = re.search(r"^# (.+)$", page, re.MULTILINE)
    return re.sub(r"[`*]|\s*\{.*\}$", "", found[1]) if found else ""


def summary(page: str) -> str:
    """Its first sentence of prose; "" where it has none."""
    prose = re.sub(r"(?ms)\A---\n.*?^---\n|^ *(```+).*?^ *\1 *$", "", page)
    for block in prose.split("\n\n"):
        text = " ".join(block.split())
        if text and text[0] not in "#`|<!>-=:[" and not text[0].isdigit():
            plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
            return re.split(r"(?<=[.?]) ", plain)[0].rstrip(":")
    return ""


def _index(pages: Mapping[str, str]) -> str:
    parts = [
        f"# dropin-rerank\n\n> {ABOUT}\n\nAll pages in one file: [llms-full.txt](llms-full.txt)."
    ]
    for section, found in sections(pages).items():
        lines = [
            f"- [{title(pages[path])}]({path})"
            + (f": {about}" if (about := summary(pages[path])) else "")
            for path in found
        ]
        parts.append(f"## {section}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _full(pages: Mapping[str, str]) -> str:
    ordered = [path for found in sections(pages).values() for path in found]
    return "\n\n".join(f"<!-- {path} -->\n\n{pages[path].strip()}" for path in ordered) + "\n"
