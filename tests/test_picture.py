"""The picture of the README."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from doc_pages import ROOT

from rerank_core import Reranker
from rerank_core.ranking.ranking import Ranking

sys.path.append(str(ROOT / "examples"))

import picture
from stdlib_docs import retrieve

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    """What is drawn."""
    with Reranker(top_n=picture.SHOWN) as reranker:
        return reranker.rank(picture.QUESTION, retrieve(picture.QUESTION))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_the_same_every_time_and_needs_nothing(ranking: Ranking, scheme: str) -> None:
    """Well-formed, with a title for whoever does not see it, and no address but its namespace."""
    drawn = picture.drawn(ranking, scheme)

    root = ElementTree.fromstring(drawn)

    assert drawn == picture.drawn(ranking, scheme)
    assert str(ranking.all[0].id) in root.findtext(f"{SVG}title", "")
    assert drawn.count("http") == 1
    assert "href" not in drawn


def test_it_shows_both_orders(ranking: Ranking) -> None:
    """Ten on each side, and a line for every document that is on either."""
    root = ElementTree.fromstring(picture.drawn(ranking, "light"))

    names = [tspan.text for tspan in root.iter(f"{SVG}tspan") if tspan.get("font-weight")]
    before = sorted(ranking.all, key=lambda hit: hit.retrieved)[:10]
    assert names == [hit.id for hit in [*before, *ranking.all[:10]]]
    lines = [path for path in root.iter(f"{SVG}path") if "C" in path.get("d", "")]
    assert len(lines) == len({hit.index for hit in [*before, *ranking.all[:10]]})


def test_the_readme_shows_what_is_there() -> None:
    """Both schemes, drawn by the command."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for scheme in picture.SCHEMES:
        path = f"docs/images/ranking-{scheme}.svg"
        assert path in readme
        assert picture.QUESTION in (ROOT / path).read_text(encoding="utf-8")


def test_texts_are_escaped() -> None:
    """Those of a page are anybody's."""
    with Reranker("bm25", top_n=2) as reranker:
        ranking = reranker.rank("a <b>", [{"id": "<i>", "text": "</text> & a"}, "another text"])

    ElementTree.fromstring(picture.drawn(ranking, "dark"))


def test_it_is_written_where_it_is_told(tmp_path: Path) -> None:
    """Both files."""
    picture.main(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"ranking-light.svg", "ranking-dark.svg"}
