"""What `rerank eval` concludes: verdict, pairs, slices, a baseline, and exit codes for CI."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_up import collection, noisy, write_jsonl
from typer.testing import CliRunner, Result

from rerank_core import Reranker
from rerank_core.cli.app import app
from rerank_core.combine import WeightedSum
from rerank_core.evaluation import Run, evaluate
from rerank_core.views import opening


def test_the_best_is_named_with_its_rival() -> None:
    """And what is worse than the retriever."""
    base = collection(queries=60, candidates=20, relevant_at=6)
    good, fair = noisy("good", base, 3.0, 2), noisy("fair", base, 2.9, 1)
    bad = noisy("bad", base, -9.0, 3)

    found = evaluate(base, {"good": good, "fair": fair, "bad": bad}, measures=["nDCG@10"])

    assert found.verdict.startswith("good helps: nDCG@10 0.333 → ")
    assert "It cannot be told from fair, the next best" in found.verdict
    assert "bad is worse than the retriever" in found.verdict
    assert len(found.pairs) == 6
    raw = [pair.comparison.difference.p for pair in found.pairs]
    assert all(pair.comparison.p >= p for pair, p in zip(found.pairs, raw, strict=True))
    assert found.systems[0].against["nDCG@10"].p == found.pairs[0].comparison.p


def test_chance_is_called_chance() -> None:
    """With the number of queries that would tell."""
    base = collection(queries=10, candidates=10, relevant_at=2)

    found = evaluate(base, {"maybe": noisy("maybe", base, 0.7, 6)}, measures=["nDCG@10"])

    assert found.verdict.startswith("maybe cannot be told from the retriever: nDCG@10 0.500 → ")


def test_one_query_tells_no_interval() -> None:
    """Said in words: no figure is infinite, on the page neither."""
    base = collection(queries=1, candidates=10, relevant_at=2)

    found = evaluate(base, {"maybe": noisy("maybe", base, 9.0, 1)}, measures=["nDCG@10"])

    assert found.systems[0].against["nDCG@10"].difference.mean
    assert "one query tells no interval" in found.verdict
    assert "one query tells no interval" in str(opening.numbers(found))
    assert "inf" not in f"{found.verdict} {opening.numbers(found)}"


def test_the_interval_that_is_said_is_that_of_the_p_beside_it() -> None:
    """Both corrected for all pairs: it holds 0 exactly where p is 0.05 or more."""
    base = collection(queries=30, candidates=10, relevant_at=2)
    systems = {f"s{n}": noisy(f"s{n}", base, 0.2 * n, n) for n in range(1, 6)}

    found = evaluate(base, systems, measures=["nDCG@10"])

    for pair in found.pairs:
        low, high = map(float, re.findall(r"[+-]\d\.\d{3}", pair.comparison.told))
        assert low == pytest.approx(pair.comparison.low, abs=5e-4)
        assert high == pytest.approx(pair.comparison.high, abs=5e-4)
        assert pair.comparison.significant == (not pair.comparison.low <= 0 <= pair.comparison.high)
    told = [pair.comparison.told for pair in found.pairs]
    assert any(one in found.verdict for one in told)
    assert any(
        pair.comparison.low < pair.comparison.difference.low
        and pair.comparison.told in found.verdict
        for pair in found.pairs
    )


@pytest.mark.parametrize(
    ("idle", "why"),
    [
        (Reranker("bm25", depth=0), "depth = 0"),
        (
            Reranker("bm25", combine=WeightedSum({"retrieval": 1.0, "bm25": 0.0})),
            "in combine only 'retrieval' has a weight",
        ),
    ],
)
def test_a_reranker_that_reranks_nothing_is_named(idle: Reranker, why: str) -> None:
    """Not "cannot be told", as if more queries would tell; and it is no rival of the others."""
    base = collection(queries=10, candidates=10, relevant_at=2)

    with idle as asleep:
        found = evaluate(base, {"asleep": asleep}, measures=["nDCG@10"])
        beside = evaluate(base, {"asleep": asleep, "maybe": noisy("maybe", base, 0.7, 6)})

    assert found.verdict == (f"asleep reranks nothing ({why}): its order is that of the retriever.")
    assert beside.verdict.startswith("maybe cannot be told from the retriever: ")
    assert "asleep reranks nothing" in beside.verdict


def test_a_run_in_the_order_of_the_retriever_is_called_so() -> None:
    """Wherever it comes from."""
    base = collection(queries=10, candidates=10, relevant_at=2)

    found = evaluate(base, {"copy": Run("copy", base.base.rankings)})

    assert found.verdict == "copy leaves every query in the order of the retriever."


def test_where_nothing_is_to_be_gained_no_more_queries_are_asked_for() -> None:
    """The retriever has the best order already: more such queries would show nothing."""
    base = collection(queries=10, candidates=10, relevant_at=0)

    found = evaluate(base, {"maybe": noisy("maybe", base, 0.9, 6)}, measures=["nDCG@10"])

    assert found.base.means["nDCG@10"] == 1
    assert found.systems[0].means["nDCG@10"] < 1
    assert "There is nothing to gain on these queries: the retriever has 1.000" in found.verdict
    assert "queries would show it" not in found.verdict + " ".join(found.notes)


def test_queries_without_a_relevant_document_are_no_fault_of_the_retriever() -> None:
    """They are named; more candidates are asked for only where relevant ones are missing."""
    full = collection(queries=30, candidates=10, relevant_at=2)
    nothing = {q: dict.fromkeys(full.qrels[q], 0) for q in list(full.qrels)[:10]}
    missing = {q: {"elsewhere": 1, **full.qrels[q]} for q in list(full.qrels)[:10]}
    lost = {q: {"elsewhere": 1} for q in list(full.qrels)[:10]}

    def notes(qrels: dict[str, dict[str, int]], measure: str = "nDCG@10") -> str:
        base = replace(full, qrels={**full.qrels, **qrels})
        return "; ".join(evaluate(base, {}, measures=[measure]).notes)

    assert "10 of 30 judged queries have no relevant document and count as 0" in notes(nothing)
    assert "more than 0.667 nDCG@10. Judge what answers them" in notes(nothing)
    assert "retrieve more" not in notes(nothing)
    assert "retrieve more" not in notes(missing)  # 0.87 can still be reached
    assert "as 33% of the relevant documents are not among them: retrieve more" in notes(lost)
    assert "retrieve more" not in notes({}, "P@10")  # 0.1 is all that one of ten can have


def test_nothing_judged_is_said_first() -> None:
    """No verdict."""
    base = collection(queries=3)
    unjudged = type(base)(base.queries, base.candidates, {}, base.base)

    found = evaluate(unjudged, {"x": noisy("x", base, 1.0)})

    assert found.verdict == "Nothing is judged: which order is better cannot be said."
    assert found.pairs == []


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """Words help in the queries of one kind and mislead in the other."""
    return write_jsonl(
        tmp_path / "queries.jsonl",
        [
            {
                "query": f"capital {q}",
                "id": f"q{q}",
                "metadata": {"kind": "plain" if q % 2 else "odd", "tags": ["a", "b"]},
                "documents": [
                    {
                        "text": f"capital {q}" if d == (8 if q % 2 else 5) else f"words {d}",
                        "id": f"d{d}",
                        "relevance": int(d == (8 if q % 2 else 0)),
                    }
                    for d in range(12)
                ],
            }
            for q in range(30)
        ],
    )


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "120"})


def test_slices_show_where_it_harms(queries: Path) -> None:
    """Each value of a field of the queries; a list counts for each of its values."""
    found = json.loads(
        invoke("eval", queries, "-s", "bm25", "-m", "RR@10", "--by", "kind", "--json").stdout
    )
    shown = invoke("eval", queries, "-s", "bm25", "-m", "RR@10", "--by", "tags").stdout

    slices = {part["value"]: part for part in found["slices"]}
    assert slices["plain"]["queries"] == slices["odd"]["queries"] == 15
    assert slices["plain"]["means"]["bm25"] == 1
    assert slices["odd"]["means"]["retriever"] == 1
    assert slices["odd"]["against_base"]["bm25"]["mean"] < -0.4
    assert "RR@10 by tags" in shown


def test_a_field_that_is_not_there(queries: Path) -> None:
    """Those that are, are named."""
    done = invoke("eval", queries, "-s", "bm25", "--by", "sort")

    assert done.exit_code == 2
    assert "no judged query has a field 'sort'; there are kind, tags" in done.stderr


class TestForCI:
    def _baseline(self, queries: Path, better: float = 0.0) -> Path:
        """Today's figures, every query of bm25's so much better."""
        found = json.loads(invoke("eval", queries, "-s", "bm25", "--json").stdout)
        for system in found["systems"]:
            if system["system"] == "bm25":
                for measure in system["by_query"].values():
                    measure.update({query: value + better for query, value in measure.items()})
        file = queries.parent / "results.json"
        file.write_text(json.dumps(found))
        return file

    def test_as_good_as_before_is_exit_code_0(self, queries: Path) -> None:
        """And a table says so."""
        before = self._baseline(queries)
        done = invoke("eval", queries, "-s", "bm25", "--baseline", before, "--fail-if-worse")

        assert done.exit_code == 0, done.output
        assert "nDCG@10 since" in done.stdout

    def test_worse_than_before_is_exit_code_4(self, queries: Path) -> None:
        """By more than chance; or by more than --worse-by allows."""
        before = self._baseline(queries, better=0.05)
        given = ("eval", queries, "-s", "bm25", "--baseline", before)

        assert invoke(*given).exit_code == 0
        worse = invoke(*given, "--fail-if-worse")
        assert worse.exit_code == 4
        assert "worse: bm25 is worse than its baseline: -0.0500" in worse.stderr
        assert invoke(*given, "--fail-if-worse", "--worse-by", "0.06").exit_code == 0
        assert invoke(*given, "--fail-if-worse", "--worse-by", "0.04").exit_code == 4

    def test_without_a_baseline_the_retriever_is_it(self, queries: Path) -> None:
        """Where it is the better one, reranking fails the gate."""
        rows = [json.loads(line) for line in queries.read_text().splitlines()]
        odd = write_jsonl(
            queries.parent / "odd.jsonl", [r for r in rows if r["documents"][0]["relevance"]]
        )

        assert invoke("eval", odd, "-s", "bm25", "--fail-if-worse").exit_code == 4
        assert invoke("eval", queries, "-s", "bm25", "--fail-if-worse").exit_code == 0

    def test_what_is_no_baseline_is_refused_before_the_work(self, queries: Path) -> None:
        """Another file, another system, another measure."""
        before = self._baseline(queries)

        assert invoke("eval", queries, "--baseline", queries).exit_code == 2
        other = invoke("eval", queries, "-s", "mine=bm25", "--baseline", before, "-m", "RR@3")
        assert other.exit_code == 2
        assert "the baseline does not have RR@3" in other.stderr


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_mlflow_is_told(queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures, differences and costs of every system, in runs beneath one."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database takes more packages
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())

    done = invoke("eval", queries, "-s", "bm25", "-m", "nDCG@10", "--mlflow")

    assert done.exit_code == 0, done.output
    runs = {run.info.run_name: run for run in mlflow.search_runs(output_format="list")}
    assert runs.keys() == {"rerank eval", "retriever", "bm25"}
    assert runs["bm25"].data.metrics["nDCG_at_10"] > 0.7
    assert "nDCG_at_10_gain" in runs["bm25"].data.metrics


def test_where_mlflow_cannot_be_told_the_figures_are_not_lost(
    queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are printed before, and the reason is a sentence."""
    import rerank_core.evaluation.mlflow as ours

    def broken(**options: object) -> None:
        raise RuntimeError("no such store")

    monkeypatch.setattr(
        ours,
        "import_module",
        lambda name: SimpleNamespace(start_run=broken, active_run=lambda: None),
    )
    done = invoke("eval", queries, "-s", "bm25", "--mlflow")

    assert done.exit_code == 1
    assert "bm25" in done.stdout
    assert "MLflow could not be told (RuntimeError): no such store" in done.stderr


def test_without_mlflow_it_says_so_before_the_work(
    queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    import rerank_core.evaluation.mlflow as ours

    def missing(name: str) -> SimpleNamespace:
        raise ImportError(name)

    monkeypatch.setattr(ours, "import_module", missing)
    done = invoke("eval", queries, "-s", "bm25", "--mlflow")

    assert done.exit_code == 2
    assert "pip install mlflow" in done.stderr
