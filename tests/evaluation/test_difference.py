"""`rerank diff`: how much moves, by what, and what becomes of a threshold."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from made_up import collection, run, write_jsonl
from typer.testing import CliRunner, Result

from rerank_core.cli.app import app
from rerank_core.errors import InvalidInputError
from rerank_core.evaluation import diff
from rerank_core.evaluation.carried import carry
from rerank_core.evaluation.run import Ranked, Run


def signals(name: str, **values: list[float]) -> Run:
    """A run over one query's d0, d1, …, ordered by the sum of its signals."""
    count = len(next(iter(values.values())))
    total = [sum(of[at] for of in values.values()) for at in range(count)]
    order = sorted(range(count), key=lambda at: -total[at])
    components = {signal: [of[at] for at in order] for signal, of in values.items()}
    ids = [f"q0d{at}" for at in order]
    return Run(name, {"q0": Ranked(ids, [total[at] for at in order], components)})


class TestWhatMoves:
    def test_the_same_ranking_is_no_change(self) -> None:
        """To the last digit: --max-change 0 passes."""
        base = collection(queries=20, candidates=30)

        found = diff(base, base.base, base.base)

        assert found.change == 0
        assert found.same == 1
        assert found.verdict == "Nothing changes among the first 10 of 20 queries."

    def test_a_change_at_the_top_counts_most(self) -> None:
        """Rank-biased overlap; what changes beyond the first ones counts nothing."""
        base = collection(queries=1, candidates=6)

        def swapped(at: int) -> float:
            scores = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
            scores[at], scores[at + 1] = scores[at + 1], scores[at]
            return diff(base, base.base, run("new", base, {"q0": scores}), top=4).change

        assert swapped(0) > swapped(1) > swapped(2) > swapped(4) == 0
        assert swapped(3) > 0  # another document among them

    def test_it_is_said_which_signal_moved_a_document(self) -> None:
        """A new one that ranks it higher; one whose value fell; one that is gone."""
        base = collection(queries=1, candidates=3)
        old = signals("old", bm25=[0.9, 0.5, 0.1])
        new = signals("new", bm25=[0.9, 0.5, 0.1], llm=[0.0, 0.1, 1.0])

        found = diff(base, old, new)

        moves = {move.document: move for move in found.queries[0].moves}
        assert moves["q0d2"].why == "llm 1, 1st (new)"
        assert moves["q0d0"].why == "llm 0, 3rd (new)"
        assert found.causes == {"llm": 2, "others": 1}
        assert found.queries[0].another_first

    def test_what_the_scores_do_not_rest_on_explains_nothing(self) -> None:
        """The retriever's score is known to every ranking, and counts in few."""
        base = collection(queries=1, candidates=2)
        old = signals("old", bm25=[0.9, 0.8], retrieval=[0.0, 0.0])
        new = signals("new", bm25=[0.9, 0.8], retrieval=[0.0, 0.5])

        told = diff(base, old, new, signals=({"bm25"}, {"bm25", "retrieval"}))

        moves = {move.document: move for move in told.queries[0].moves}
        assert moves["q0d1"].why == "retrieval 0.5, 1st (new)"

    def test_an_unscored_document_is_called_that(self) -> None:
        """Not one that a signal moved."""
        base = collection(queries=1, candidates=2)
        new = Run("new", {"q0": Ranked(["q0d1", "q0d0"], [0.5, None])})

        found = diff(base, base.base, new)

        assert found.causes == {"score": 1, "not scored": 1}

    def test_nothing_in_common_is_refused(self) -> None:
        """Rather than a mean over nothing."""
        base = collection(queries=1)

        with pytest.raises(InvalidInputError, match="no query with candidates that both rank"):
            diff(base, base.base, Run("new", {}))


class TestThreshold:
    def _runs(self, new: object, count: int = 200) -> tuple[Run, Run]:
        draw = random.Random(1)
        old = [draw.random() for _ in range(count)]
        ids = [f"d{at}" for at in range(count)]
        return (
            Run("old", {"q": Ranked(ids, old)}),
            Run("new", {"q": Ranked(ids, [new(score, draw) for score in old])}),  # type: ignore[operator]
        )

    @pytest.mark.slow
    @pytest.mark.versions
    def test_it_goes_along_with_the_scale(self) -> None:
        """Of a new scale that is a function of the old, exactly."""
        carried, why = carry(0.5, *self._runs(lambda score, _: 10 * score**2 - 3))

        assert why is None
        assert carried is not None
        assert carried.new == pytest.approx(10 * 0.25 - 3, abs=0.1)
        assert carried.alike == 1
        assert carried.kept_before == carried.kept_after

    def test_noise_is_evened_out(self) -> None:
        """A higher old score never stands for a lower new one."""
        old, new = self._runs(lambda score, draw: score + draw.gauss(0, 0.2), 2000)

        at = [carry(cut, old, new)[0].new for cut in (0.2, 0.4, 0.6, 0.8)]  # type: ignore[union-attr]

        assert at == sorted(at)
        assert at == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.1)

    def test_where_it_would_mean_nothing_it_is_not_said(self) -> None:
        """Scores that do not agree, too few of them, a threshold that no document reaches."""
        unlike = self._runs(lambda score, draw: draw.random())
        few = self._runs(lambda score, _: score, 10)
        same = self._runs(lambda score, _: score)

        assert "hardly agree" in str(carry(0.5, *unlike)[1])
        assert "10 documents were scored by both" in str(carry(0.5, *few)[1])
        assert "no document is on the other side" in str(carry(7.0, *same)[1])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two configurations, and queries whose retriever disagrees with their words."""
    rows = [
        {
            "query": f"capital {q}",
            "id": f"q{q}",
            "documents": [
                {"text": f"capital {d}" if d else f"<b>capital {q}</b>", "score": float(d * 5 % 12)}
                for d in range(12)
            ],
        }
        for q in range(20, 30)
    ]
    (tmp_path / "old.toml").write_text('[reranker]\nscorer = "bm25"\n')
    (tmp_path / "new.toml").write_text('[reranker]\nscorer = "hybrid"\n')
    queries = write_jsonl(tmp_path / "queries.jsonl", rows)
    return [tmp_path / "old.toml", tmp_path / "new.toml", queries]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "120"})


def test_the_command_says_what_changes(files: list[Path]) -> None:
    """In a sentence first; then by what, and where most."""
    done = invoke("diff", *files)

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("On 10 queries the first 10 change by 0.")
    assert re.search(r"retrieval +\d+", done.stdout)
    assert "(new)" in done.stdout


def test_a_gate_in_ci(files: list[Path]) -> None:
    """Exit code 4 beyond --max-change, 0 within; the same file changes nothing."""
    assert invoke("diff", *files, "--max-change", "0.001").exit_code == 4
    assert invoke("diff", *files, "--max-change", "1").exit_code == 0
    assert invoke("diff", files[0], files[0], files[2], "--max-change", "0").exit_code == 0
    assert invoke("diff", *files, "--max-change", "7").exit_code == 2


def test_json_has_every_query(files: list[Path]) -> None:
    """With the moves of each and their reasons."""
    found = json.loads(invoke("diff", *files, "--json").stdout)

    assert len(found["by_query"]) == 10
    assert all(0 <= one["change"] <= 1 for one in found["by_query"].values())


def test_the_page_stands_alone(files: list[Path], tmp_path: Path) -> None:
    """Nothing is fetched, texts are quoted, both schemes are there."""
    invoke("diff", *files, "--report", tmp_path / "diff.html")
    page = (tmp_path / "diff.html").read_text()

    assert "prefers-color-scheme:dark" in page
    assert not re.search(r"<script|src=|@import|https?://", page)
    assert "<b>capital" not in page
    assert "&lt;b&gt;" in page
    assert page.count("<details") == page.count("</details>") > 1
