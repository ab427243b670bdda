"""What stands on the pages of docs/migration: the blocks before and after, and the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import doc_pages

FOLDER = doc_pages.ROOT / "docs" / "migration"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "index.md")


def pairs(page: Path) -> list[tuple[str, str]]:
    """Each block that begins with "# after", with the last one before it that says "# before"."""
    found, before = [], ""
    for block in doc_pages.blocks(page):
        if block.lstrip().startswith("# before"):
            before = block
        else:
            assert block.lstrip().startswith("# after"), block
            found.append((before, block))
    return found


def tables(page: Path) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Of each table over two classes: their paths, and its rows."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        heading = re.fullmatch(r"\| `([\w.]+)` \| `([\w.]+)` \|", line)
        if heading is None or "." not in heading[1]:
            continue
        assert next(lines) == "|---|---|"
        rows = []
        for row in lines:
            if not row.startswith("|"):
                break
            theirs, ours = row.strip("| ").split(" | ", 1)
            rows.append((theirs, ours))
        yield heading[1], heading[2], rows
