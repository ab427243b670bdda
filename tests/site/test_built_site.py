"""The built site: every page opens, fits a phone, and links to what is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from browser import OPTIONS
from built import build_once, served

from docs_site import llms, messages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Built strictly: a warning would have ended it."""
    pytest.importorskip("zensical")
    pytest.importorskip("mkdocstrings")
    pytest.importorskip("llama_index.core")
    base = tmp_path_factory.getbasetemp()
    return build_once(base if worker_id == "master" else base.parent)


class _Links(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "src" in found:
            self.loaded.append(found["src"])
        elif tag == "link" and found.get("rel") != "canonical":
            self.loaded.append(found["href"])


def html(site: Path) -> list[str]:
    return sorted(page.relative_to(site).as_posix() for page in site.rglob("*.html"))


def test_every_link_leads_somewhere(site: Path) -> None:
    """Pages, files and anchors; and nothing is loaded from elsewhere."""
    pages = {name: _Links(site / name) for name in html(site)}
    wrong = []
    for name, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded:
                    wrong.append(f"{name} loads {link}")
                continue
            target = unquote(urlsplit(urljoin(f"http://site/{name}", link)).path).lstrip("/")
            target = target + "index.html" if target == "" or target.endswith("/") else target
            if not (site / target).is_file():
                wrong.append(f"{name}: {link}")
            elif parts.fragment and target in pages:
                there = pages[target].anchors | {"", "__top"}
                if unquote(parts.fragment) not in there:
                    wrong.append(f"{name}: {link}")
    wrong += [css.name for css in site.rglob("*.css") if "url(http" in css.read_text("utf-8")]
    assert wrong == []


def test_there_is_markdown_behind_every_page(site: Path) -> None:
    """Beside it; whose links lead to Markdown, and which programs are told of."""
    for name in set(html(site)) - {"404.html"}:
        markdown = (site / name).with_suffix(".md")
        assert markdown.is_file(), name
        assert "\n::: " not in markdown.read_text(encoding="utf-8")
        assert f'type="text/markdown" href="{markdown.name}"' in (site / name).read_text("utf-8")


def test_llms_txt_names_every_page(site: Path) -> None:
    """With a title and, nearly always, a sentence."""
    index = (site / "llms.txt").read_text(encoding="utf-8")
    named = re.findall(r"^- \[(.+)\]\((.+?)\)", index, re.MULTILINE)
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.md")}

    assert {link for _, link in named} == pages
    assert index.startswith(f"# dropin-rerank\n\n> {llms.ABOUT}")
    full = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert all(f"<!-- {page} -->" in full for page in pages)
    assert "def rank" in full or "rank(self" in full


def test_the_search_finds_every_message(site: Path) -> None:
    """Each is the title of an entry of the index, which lies beside the pages."""
    items = json.loads((site / "search.json").read_text(encoding="utf-8"))["items"]
    titles = {
        " ".join(unescape(re.sub(r"</?\w+[^>]*>", "", item["title"])).split())
        for item in items
        if item["location"].startswith("troubleshooting/")
    }

    assert [m.text for m in messages.found() if " ".join(m.text.split()) not in titles] == []


#: Opens one page after the other at a phone's width, and tells what does not fit.
DRIVER = """<!doctype html><meta charset=utf-8>
<iframe id=frame style="width:380px;height:800px;border:0"></iframe><script>
const pages = %s, told = {};
(async () => {
  for (const page of pages) {
    await new Promise(loaded => { frame.onload = loaded; frame.src = page; });
    await new Promise(rest => setTimeout(rest, 50));
    const opened = frame.contentDocument;
    told[page] = [opened.documentElement.scrollWidth, opened.title];
  }
  fetch("/told", { method: "POST", body: JSON.stringify(told) });
})();
</script>"""


def test_every_page_opens(site: Path, tmp_path: Path) -> None:
    """Nothing in the console, nothing missing, nothing wider than a phone or from elsewhere."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium: install it to have pages looked at")
    pages, driver = html(site), site / "driver.html"
    driver.write_text(DRIVER % json.dumps(pages), encoding="utf-8")
    with served(site) as (address, missing, told), open(tmp_path / "log", "w") as log:
        running = subprocess.Popen(
            [
                chromium,
                *(option for option in OPTIONS if "virtual-time" not in option),
                "--enable-logging=stderr",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--remote-debugging-port=0",  # it stays until it is ended
                f"{address}/driver.html",
            ],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(tmp_path)},
            start_new_session=True,  # a script starts it, which does not pass a signal on
        )
        try:
            widths = json.loads(told.get(timeout=120))
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(30)
            driver.unlink()
    said = (tmp_path / "log").read_text(encoding="utf-8", errors="replace").splitlines()

    assert sorted(widths) == pages
    assert {page: width for page, (width, _) in widths.items() if width > 380} == {}
    assert all(title for _, title in widths.values())
    assert [line for line in missing if "favicon" not in line] == []
    assert [line for line in said if "CONSOLE" in line] == []
