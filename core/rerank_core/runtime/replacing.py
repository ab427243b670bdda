"""A file that is there whole, whatever happens while it is written."""

from __future__ import annotations

import os
from pathlib import Path


def replaced(path: Path, text: str) -> None:
    """Write the text to the file, on disk before it returns: there is what was, or all of this."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have what was renamed in this folder on disk."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
