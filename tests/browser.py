"""A page in headless Chromium: what a script finds out about it, at a width, in a colour scheme."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--virtual-time-budget=4000",
    "--window-size=1600,1200",
]


def found(folder: Path, frames: Sequence[tuple[str, int, bool]], script: str) -> list[Any]:
    """What the script (an expression of `page`, the document, and its `window`) is in each frame.

    A frame is a page's HTML, its width in pixels, and whether the reader prefers dark. In a
    window, not in a frame, Chromium has a least width; a frame's color-scheme is the preference
    that its page sees.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium: install it to have pages looked at")
    shown = "".join(
        f'<iframe style="width:{width}px;height:900px;border:0;'
        f'color-scheme:{"dark" if dark else "light"}" srcdoc="{escape(html)}"></iframe>'
        for html, width, dark in frames
    )
    (folder / "frames.html").write_text(
        f"<!doctype html><meta charset=utf-8>{shown}<pre id=told></pre><script>"
        "addEventListener('load', () => { told.textContent = JSON.stringify("
        "[...document.querySelectorAll('iframe')].map(frame => { const page = "
        f"frame.contentDocument, window = frame.contentWindow; return ({script}); }})); }});"
        "</script>",
        encoding="utf-8",
        errors="replace",
    )
    done = subprocess.run(
        [
            browser,
            *OPTIONS,
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            (folder / "frames.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "HOME": str(folder)},
    )
    told = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told is not None, done.stderr
    answer: list[Any] = json.loads(unescape(told[1]))
    return answer
