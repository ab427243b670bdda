"""Pages that are made from the source rather than written."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from . import common, llms, messages, reference, tables

ROOT = Path(__file__).resolve().parents[1]

#: Where a message comes from, by the beginning of its file: a heading, and the page to read.
ROOMS: tuple[tuple[str, str, str], ...] = (
    ("langchain_rerank/", "LangChain", "../langchain.md"),
    ("llamaindex_rerank/", "LlamaIndex", "../llamaindex.md"),
    ("core/rerank_core/bulk/", "Bulk runs", "../bulk.md"),
    ("core/rerank_core/cli/", "The command line", "../reference/command-line.md"),
    ("core/rerank_core/doctor/", "The doctor", "../doctor.md"),
    ("core/rerank_core/evaluation/", "Evaluation and tuning", "../evaluation.md"),
    ("core/rerank_core/scorers/local/", "Local models", "../scorers.md"),
    ("core/rerank_core/scorers/cascade", "Cascades", "../cascade.md"),
    ("core/rerank_core/scorers/", "Scorers and services", "../scorers.md"),
    ("core/rerank_core/chat/", "Chat models", "../llm.md"),
    ("core/rerank_core/llm/", "Asking an LLM", "../llm.md"),
    ("core/rerank_core/listwise/", "Asking an LLM", "../llm.md"),
    ("core/rerank_core/stores/", "The score cache", "../engine.md"),
    ("core/rerank_core/serving/", "A rerank server", "../serve.md"),
    ("core/rerank_core/teaching/", "Teaching a model", "../teach.md"),
    ("core/rerank_core/self_check/", "The doctor", "../doctor.md"),
    ("core/rerank_core/engine/", "Deadline, fallback, cache", "../engine.md"),
    ("core/rerank_core/combine/", "Combined scores", "../engine.md"),
    ("core/rerank_core/remote/", "Servers, keys, addresses", "../how-to/servers.md"),
    ("core/rerank_core/ranking/", "Queries and documents", "../reference/rerank_core.md"),
    ("core/rerank_core/config", "The configuration file", "../how-to/configuration-file.md"),
    ("", "Options", "../reference/options.md"),
)


def pages() -> dict[str, str]:
    """Every such page, by its path in the site."""
    return {
        **reference.pages(),
        "examples.md": _examples(),
        "troubleshooting/errors.md": _messages(raised=True),
        "troubleshooting/notes.md": _messages(raised=False),
    }


#: What a page may ask to be put in its place: `<!-- table: NAME -->`.
FILLED = {
    "providers": tables.providers,
    "prices": tables.price_table,
}


def filled(page: str) -> str:
    """A written page with its tables in their places."""
    return re.sub(r"<!-- table: (\w+) -->", lambda found: _fill(found), page)


def _fill(found: re.Match[str]) -> str:
    make = FILLED.get(found[1])
    return found[0] if make is None else make()


def _examples() -> str:
    parts = ["# Examples\n\nPrograms to run as they stand, in `examples/` of the repository."]
    for path in sorted((ROOT / "examples").glob("*.py")):
        source = path.read_text(encoding="utf-8").rstrip()
        parts.append(f"## `{path.name}` {{ #{path.stem} }}\n\n````py\n{source}\n````")
    return "\n\n".join(parts) + "\n"


def _messages(*, raised: bool) -> str:
    title, about = (
        (
            "Errors, by their words",
            "Every error that the library raises. … stands for what is filled in. Most say what "
            "to do themselves; the page linked below a heading has the rest. What the classes "
            "mean: [troubleshooting](index.md).",
        )
        if raised
        else (
            "Notes and warnings, by their words",
            "What `ranking.report.notes` and the log say, and the notes and findings of `rerank "
            "eval`, `tune` and `doctor`. … stands for what is filled in.",
        )
    )
    rooms: dict[str, dict[str, list[messages.Message]]] = defaultdict(lambda: defaultdict(list))
    links = {}
    for message in messages.found():
        if bool(message.kind) is raised:
            heading, links[heading] = room(message.file)
            rooms[heading][message.text].append(message)
    often = common.ERRORS if raised else common.NOTES
    parts = [f"# {title}\n\n{about}", "## Met most"]
    parts += [_common(one) for one in often]
    known = {one.text for one in often}
    for heading, said in sorted(rooms.items()):
        parts.append(f"## {heading}\n\nMore: [{_label(links[heading])}]({links[heading]}).")
        parts += [_entry(text, same) for text, same in sorted(said.items()) if text not in known]
    return "\n\n".join(parts) + "\n"


def room(file: str) -> tuple[str, str]:
    """The heading, and the page, for messages of a file."""
    return next((heading, link) for start, heading, link in ROOMS if file.startswith(start))


def _entry(text: str, same: list[messages.Message]) -> str:
    kinds = " or ".join(_kind(kind) for kind in dict.fromkeys(m.kind for m in same) if kind)
    return f"### {_code(text)} {{ .message }}\n\n{kinds}".rstrip()


def _kind(kind: str) -> str:
    return "An answer of `rerank serve`" if kind == "Refusal" else f"`{kind}`"


def _common(one: common.Common) -> str:
    met = "" if one.met == one.text else f"Such as {_code(one.met)}\n\n"
    return f"### {_code(one.text)} {{ .message }}\n\n{met}{one.remedy}"


def _label(link: str) -> str:
    page = ROOT / "docs" / link.removeprefix("../")
    written = page.exists() and llms.title(page.read_text(encoding="utf-8"))
    return written or page.stem.replace("-", " ")


def _code(text: str) -> str:
    """Text as it is, whatever it holds."""
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
