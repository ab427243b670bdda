"""The pages are gathered in build/docs, and built from there into site/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import tomli_w

from . import generated, llms
from .navigation import ROOT_PAGES, nav

ROOT = Path(__file__).resolve().parents[1]
OWN = Path(__file__).resolve().parent
_LINK = re.compile(r"(\]\(|(?:href|src|srcset)=\")([^)\"\s]+)")


def gathered() -> dict[str, str]:
    """Every page's Markdown, by its path in the site."""
    docs = ROOT / "docs"
    written = {path.relative_to(docs).as_posix(): path for path in docs.rglob("*.md")}
    written |= {to: ROOT / name for name, to in ROOT_PAGES.items() if (ROOT / name).exists()}
    pages = {to: _relinked(path, to) for to, path in written.items()}
    return {**pages, **generated.pages()}


def _relinked(path: Path, to: str) -> str:
    """A page as the site has it: tables filled in, links to the repository's files turned round."""

    def turned(found: re.Match[str]) -> str:
        target, _, anchor = found[2].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        there = Path(os.path.normpath(path.parent / target))
        home = _home(there)
        if home is None:
            return found[0]
        name, own = home
        link = os.path.relpath(name, Path(to).parent)
        anchor = own or anchor
        return f"{found[1]}{link}{f'#{anchor}' if anchor else ''}"

    page = generated.filled(path.read_text(encoding="utf-8"))
    parts = re.split(r"(^```.*?^```$)", page, flags=re.MULTILINE | re.DOTALL)
    return "".join(p if p.startswith("```") else _LINK.sub(turned, p) for p in parts)


def _home(file: Path) -> tuple[str, str] | None:
    """Where a file of the repository stands in the site, and its anchor there."""
    if not file.is_relative_to(ROOT):
        return None
    name = file.relative_to(ROOT).as_posix()
    if name in ROOT_PAGES:
        return ROOT_PAGES[name], ""
    if name == "README.md":
        return "index.md", ""
    if name.startswith("examples/"):
        return "examples.md", file.stem if file.suffix == ".py" else ""
    if name.startswith("docs/"):
        return name.removeprefix("docs/"), ""
    return None


def build(site: Path = ROOT / "site", work: Path = ROOT / "build" / "docs") -> dict[str, str]:
    """Build the site. Any warning ends it: a link or an anchor that is missing, a name unknown.

    Returns the pages by path. Raises `SystemExit` where it did not build.
    """
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    sources = work / "pages"
    pages = gathered()
    for name, text in pages.items():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", sources / "images", dirs_exist_ok=True)
    shutil.copytree(OWN / "assets", sources / "assets", dirs_exist_ok=True)
    config = tomllib.loads((OWN / "zensical.toml").read_text(encoding="utf-8"))
    config["project"] |= {
        "nav": nav({name: llms.title(text) for name, text in pages.items()}),
        "site_dir": "site",
    }
    (work / "zensical.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    paths = os.pathsep.join(map(str, (ROOT / "core", ROOT)))
    done = subprocess.run(command, cwd=work, env={**os.environ, "PYTHONPATH": paths}, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    shutil.move(work / "site", site)
    llms.write(site, pages)
    for page in site.rglob("*.html"):
        _finish(page, site)
    return pages


def _finish(page: Path, site: Path) -> None:
    """Say where the page's Markdown is, to programs and to people."""
    markdown = page.with_suffix(".md")
    if not markdown.exists():
        return
    html = page.read_text(encoding="utf-8")
    link = f'<link rel="alternate" type="text/markdown" href="{markdown.name}">'
    html = html.replace("</head>", f"{link}</head>", 1)
    shown = f'<p class="as-markdown"><a href="{markdown.name}">This page as Markdown</a></p>'
    page.write_text(html.replace("</article>", f"{shown}</article>", 1), encoding="utf-8")
