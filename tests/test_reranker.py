"""The face of the core: what goes in, what comes out, and what is refused at the door."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from rerank_core import (
    Candidate,
    ConfigurationError,
    DegradedError,
    InvalidInputError,
    Ranking,
    Reason,
    Reranker,
    RerankError,
    ScorerError,
)
from rerank_core.combine import WeightedSum
from rerank_core.protocols import ScorerBase

TEXTS = ["Paris is the capital of France", "Rome is the capital of Italy", "bananas are yellow"]


def by_length(query: str, texts: Sequence[str]) -> list[float]:
    return [float(len(text)) for text in texts]


def failing(query: str, texts: Sequence[str]) -> list[float]:
    raise KeyError("boo")


async def sleeping(query: str, texts: Sequence[str]) -> list[float]:
    await asyncio.sleep(30)
    return []


def texts_of(ranking: Ranking) -> list[str]:
    return [hit.text for hit in ranking.all]


class TestDocuments:
    def test_strings_dicts_and_candidates_rank_alike(self) -> None:
        """A document is a string, a dict with its text under one of three keys, or a Candidate."""
        shapes = [
            TEXTS,
            [{"text": text} for text in TEXTS],
            [{"content": text} for text in TEXTS],
            [{"page_content": text} for text in TEXTS],
            [Candidate(text) for text in TEXTS],
        ]

        rankings = [Reranker("bm25").rank("capital of Italy", shape) for shape in shapes]

        assert {tuple(texts_of(ranking)) for ranking in rankings} == {
            (TEXTS[1], TEXTS[0], TEXTS[2])
        }

    def test_a_hit_holds_the_callers_own_object(self) -> None:
        """`document` is the very object that was passed, `index` where it stood."""
        documents = [{"text": text, "id": str(n)} for n, text in enumerate(TEXTS)]

        ranking = Reranker(by_length).rank("q", documents)

        assert all(hit.document is documents[hit.index] for hit in ranking)
        assert [hit.id for hit in ranking] == ["0", "1", "2"]
        assert [hit.rank for hit in ranking] == [1, 2, 3]

    def test_metadata_is_merged_with_the_remaining_keys(self) -> None:
        """A nested metadata and a dict's own further keys become one metadata."""
        document = {"text": "t", "year": 1999, "metadata": {"source": "a.md"}}

        (hit,) = Reranker(by_length).rank("q", [document])

        assert dict(hit.metadata) == {"year": 1999, "source": "a.md"}
        assert document == {"text": "t", "year": 1999, "metadata": {"source": "a.md"}}

    def test_dicts_in_dicts_out(self) -> None:
        """`to_dicts` gives back the caller's keys, with rank, score and components, as JSON can."""
        ranking = Reranker(by_length).rank("q", [{"content": "abc", "url": "u"}])

        (out,) = ranking.to_dicts()

        assert out["content"] == "abc"
        assert out["url"] == "u"
        assert out["score"] == 3.0
        assert out["score_components"]["by_length"] == 3.0
        json.dumps(out)

    def test_top_n_cuts_the_view_and_loses_nothing(self) -> None:
        """The ranking is the top_n; `all` holds every document exactly once."""
        ranking = Reranker(by_length, top_n=1).rank("q", TEXTS)

        assert len(ranking) == 1
        assert sorted(hit.index for hit in ranking.all) == [0, 1, 2]

    def test_fewer_documents_than_top_n_are_still_ranked(self) -> None:
        """There is no shortcut that returns few documents as they came."""
        assert texts_of(Reranker(by_length, top_n=10).rank("q", ["a", "abc"])) == ["abc", "a"]

    def test_duplicates_stay_apart(self) -> None:
        """Documents with equal text, or equal id, are still different documents."""
        documents = [{"text": "same", "id": "x"}, {"text": "same", "id": "x"}]

        ranking = Reranker("bm25").rank("same", documents)

        assert sorted(hit.index for hit in ranking.all) == [0, 1]

    def test_no_documents_is_no_ranking(self) -> None:
        """An empty list is an answer, and asks nobody."""
        ranking = Reranker(failing).rank("q", [])

        assert list(ranking) == []
        assert not ranking.report.degraded


class TestOrder:
    def test_equal_scores_keep_the_retrievers_order(self) -> None:
        """Ties break by retrieval: by its scores where all carry one."""
        documents = [
            Candidate("a", score=0.1),
            Candidate("b", score=0.9),
            Candidate("c", score=0.5),
        ]

        ranking = Reranker(lambda q, t: [1.0] * len(t)).rank("q", documents)

        assert texts_of(ranking) == ["b", "c", "a"]
        assert [hit.retrieved for hit in ranking] == [1, 2, 3]

    def test_scores_that_some_lack_do_not_order(self) -> None:
        """Where one candidate has no retrieval score, the given order stands."""
        documents = [Candidate("a", score=0.1), Candidate("b"), Candidate("c", score=0.5)]

        assert texts_of(Reranker(lambda q, t: [1.0] * len(t)).rank("q", documents)) == list("abc")

    def test_nan_and_infinity_are_missing(self) -> None:
        """A score that is no finite number is None, and the report says that it is incomplete."""
        ranking = Reranker(lambda q, t: [float("nan"), 2.0, float("inf")]).rank("q", list("abc"))

        assert {hit.text: hit.score for hit in ranking.all} == {"a": None, "b": 2.0, "c": None}
        assert ranking.report.coverage == pytest.approx(1 / 3)
        assert Reason.INCOMPLETE in ranking.report.reasons

    def test_nothing_scored_is_the_retrievers_order(self) -> None:
        """With no score at all, the order is the one that came."""
        ranking = Reranker(lambda q, t: [None] * len(t)).rank("q", TEXTS)

        assert texts_of(ranking) == TEXTS
        assert ranking.report.coverage == 0.0

    def test_scores_are_python_floats(self) -> None:
        """numpy's numbers would break JSON further down."""
        numpy = pytest.importorskip("numpy")

        ranking = Reranker(lambda q, t: numpy.float32([1, 2, 3])).rank("q", TEXTS)

        assert {type(hit.score) for hit in ranking} == {float}
        json.dumps(ranking.to_dicts())


class TestHybrid:
    def test_it_is_the_default(self) -> None:
        """`Reranker()` needs no key, model or network."""
        documents = [Candidate(text, score=0.5) for text in TEXTS]

        assert set(Reranker().rank("capital of Italy", TEXTS)[0].components) >= {"bm25"}
        ranking = Reranker().rank("capital of Italy", documents)
        assert set(ranking[0].components) >= {"bm25", "retrieval"}

    def test_it_adds_the_retrievers_score_half_and_half(self) -> None:
        """BM25 and retrieval by min-max, each with weight one half."""
        documents = [
            Candidate(text, score=score) for text, score in zip(TEXTS, (5, 3, 1), strict=True)
        ]

        ranking = Reranker().rank("Italy", documents)

        for hit in ranking:
            parts = hit.components
            assert hit.score == pytest.approx((parts["bm25"] + parts["retrieval"]) / 2)
        assert {hit.components["retrieval:raw"] for hit in ranking} == {5.0, 3.0, 1.0}


class TestTheDoor:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"query": ""}, "query is empty"),
            ({"query": " \n"}, "query is empty"),
            ({"query": None}, "query is a string"),
            ({"documents": [{"id": 1}]}, "document 0 has no text"),
            ({"documents": ["a", None]}, "document 1 is a NoneType"),
            ({"documents": "one text"}, "pass a list"),
            ({"documents": [{"text": "a", "score": "high"}]}, "score is a number"),
            ({"top_n": 0}, "top_n is 0"),
            ({"top_n": 2.5}, "whole number"),
            ({"top_n": True}, "whole number"),
            ({"timeout": -1}, "timeout is -1"),
            ({"timeout": 0}, "None for none"),
            ({"timeout": "soon"}, "seconds, a timedelta or None"),
        ],
    )
    def test_what_cannot_be_right_is_refused(
        self, arguments: dict[str, object], words: str
    ) -> None:
        """A clear error, before the scorer is asked."""
        asked: list[str] = []
        reranker = Reranker(lambda q, t: asked.append(q) or [0.0] * len(t))
        call = {"query": "q", "documents": TEXTS, **arguments}

        with pytest.raises(InvalidInputError, match=words):
            reranker.rank(**call)  # type: ignore[arg-type]
        assert asked == []

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"scorer": "bm52"}, "no scorer is called 'bm52': did you mean 'bm25'"),
            ({"scorer": ["bm25", "hybrid"]}, '"hybrid" stands alone: it is bm25 and'),
            ({"scorer": {"a": "bm25", "b": "hybrid"}}, '"hybrid" stands alone'),
            ({"scorer": "hybrid:m"}, '"hybrid" stands alone'),
            ({"scorer": "tuned.YAML"}, r"is Reranker\.from_config\('tuned\.YAML'\)"),
            ({"scorer": Path("a") / "r.json"}, r"from_config\('a.r\.json'\)"),
            ({"scorer": "bm25:large"}, "takes no model"),
            ({"scorer": 3}, "a scorer is a name"),
            ({"scorer": {}}, "at least one"),
            ({"scorer": {"a": "bm25", "b": by_length}}, "need combine="),
            ({"scorer": [by_length, by_length]}, "names of their own"),
            ({"on_error": "ignore"}, "on_error"),
            ({"max_concurrency": 0}, "max_concurrency"),
            ({"combine": WeightedSum({"llm": 1.0})}, "llm"),
        ],
    )
    def test_a_reranker_that_cannot_work_is_refused(
        self, options: dict[str, object], words: str
    ) -> None:
        """At construction, with the fix in the message."""
        with pytest.raises(ConfigurationError, match=words):
            Reranker(**options)  # type: ignore[arg-type]

    def test_a_mistyped_option_is_refused(self) -> None:
        """`top_k` is not silently dropped."""
        with pytest.raises(TypeError, match=r"'top_k': did you mean top_n\?"):
            Reranker("bm25", top_k=5)  # type: ignore[call-arg]


class TestDegrading:
    def test_a_scorer_that_raises_leaves_the_retrievers_order(self) -> None:
        """The answer holds every document, and the report has the cause."""
        report = Reranker(failing).rank("q", TEXTS).report

        assert report.degraded
        assert report.reasons == (Reason.SCORER,)
        assert "KeyError" in report.why

    def test_scores_for_other_texts_are_none(self) -> None:
        """A list of the wrong length cannot be matched to the texts."""
        ranking = Reranker(lambda q, t: [1.0]).rank("q", TEXTS)

        assert texts_of(ranking) == TEXTS
        assert "1 scores for 3 texts" in ranking.report.why

    def test_the_deadline_strikes(self) -> None:
        """Also with a timedelta, and also per call."""
        ranking = Reranker(sleeping, timeout=timedelta(seconds=60)).rank("q", TEXTS, timeout=0.05)

        assert texts_of(ranking) == TEXTS
        assert ranking.report.reasons == (Reason.TIMEOUT,)

    def test_a_blocking_scorer_does_not_hold_up_the_deadline(self) -> None:
        """A thread that cannot be stopped is left behind."""
        released = threading.Event()

        def blocking(query: str, texts: Sequence[str]) -> list[float]:
            released.wait(30)
            return [0.0] * len(texts)

        ranking = Reranker(blocking, timeout=0.05).rank("q", TEXTS)
        released.set()

        assert Reason.TIMEOUT in ranking.report.reasons

    def test_a_fallback_stands_in(self) -> None:
        """Its order and scores count, and the report says that it was the fallback."""
        ranking = Reranker(failing, fallback="bm25").rank("capital of Italy", TEXTS)

        assert ranking[0].text == TEXTS[1]
        assert Reason.FALLBACK in ranking.report.reasons
        assert ranking.report.coverage == 0.0
        assert (
            f"fallback bm25 stood in and scored {len(TEXTS)} of {len(TEXTS)}" in ranking.report.why
        )
        assert "(0% scored without the fallback)" in repr(ranking)
        assert "fallback" not in repr(Reranker(failing).rank("capital of Italy", TEXTS))

    def test_a_fallback_has_time_left_after_a_timeout(self) -> None:
        """Part of the deadline is kept back for it."""
        ranking = Reranker(sleeping, timeout=0.5, fallback="bm25").rank("capital of Italy", TEXTS)

        assert ranking[0].text == TEXTS[1]
        assert set(ranking.report.reasons) == {Reason.TIMEOUT, Reason.FALLBACK}

    def test_on_error_raise(self) -> None:
        """The error carries the ranking that would have been returned."""
        with pytest.raises(DegradedError, match="KeyError") as caught:
            Reranker(failing, on_error="raise").rank("q", TEXTS)

        assert texts_of(caught.value.ranking) == TEXTS

    def test_one_warning_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """One line for a degraded ranking, none for a whole one."""
        with caplog.at_level(logging.WARNING, "rerank_core"):
            Reranker(by_length).rank("q", TEXTS)
            Reranker(failing).rank("q", TEXTS)

        assert [record.levelname for record in caplog.records] == ["WARNING"]

    def test_on_ranking_gets_every_ranking(self) -> None:
        """And if it raises, the ranking is unharmed."""
        seen: list[Ranking] = []

        def note(ranking: Ranking) -> None:
            seen.append(ranking)
            raise RuntimeError("not the ranking's business")

        ranking = Reranker(failing, on_ranking=note).rank("q", TEXTS)

        assert seen == [ranking]


class Refused(ScorerBase):
    """Refused until the key is right."""

    name = "refused"
    refuse = True

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        if self.refuse:
            raise ScorerError("HTTP 401", reason=Reason.AUTH, fatal=True)
        return [1.0] * len(texts)


class TestARefusedKey:
    def test_it_raises_if_nothing_has_ever_succeeded(self) -> None:
        """A wrong key is a mistake, not the world's doing."""
        with pytest.raises(ScorerError, match="401"):
            Reranker(Refused()).rank("q", TEXTS)

    def test_it_degrades_where_there_is_a_fallback(self) -> None:
        """Somebody has thought of it."""
        report = Reranker(Refused(), fallback="bm25").rank("q", TEXTS).report

        assert report.reasons[0] == "auth"

    def test_it_degrades_once_something_has_succeeded(self) -> None:
        """A key that was revoked must not bring the service down."""
        scorer = Refused()
        reranker = Reranker(scorer)
        scorer.refuse = False
        reranker.rank("q", TEXTS)
        scorer.refuse = True

        assert reranker.rank("q", TEXTS).report.reasons == (Reason.AUTH,)


class TestFaces:
    def test_async_is_the_same_awaited(self) -> None:
        """Same order, same scores."""
        reranker = Reranker("bm25")

        awaited = asyncio.run(reranker.arank("Italy", TEXTS))

        assert awaited.to_dicts() == reranker.rank("Italy", TEXTS).to_dicts()

    def test_sync_works_inside_a_running_loop(self) -> None:
        """As a notebook, and some frameworks, call it."""

        async def main() -> Ranking:
            return Reranker("bm25").rank("Italy", TEXTS)

        assert texts_of(asyncio.run(main()))[0] == TEXTS[1]

    def test_one_instance_serves_many_threads_and_loops(self) -> None:
        """Clients and limits live on one background loop."""
        reranker = Reranker("bm25")

        def each(n: int) -> str:
            if n % 2:
                return reranker.rank("Italy", TEXTS)[0].text
            return asyncio.run(reranker.arank("Italy", TEXTS))[0].text

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(each, range(32))) == {TEXTS[1]}

    def test_an_async_function_runs_on_the_callers_loop(self) -> None:
        """Its clients may be bound there."""
        loops = []

        async def scorer(query: str, texts: Sequence[str]) -> list[float]:
            loops.append(asyncio.get_running_loop())
            return [0.0] * len(texts)

        async def main() -> asyncio.AbstractEventLoop:
            await Reranker(scorer).arank("q", TEXTS)
            return asyncio.get_running_loop()

        assert loops == [asyncio.run(main())] or len(loops) == 1

    def test_cancelling_the_caller_cancels_the_work(self) -> None:
        """Nothing goes on for an answer that nobody awaits."""
        ended = threading.Event()

        class Long(ScorerBase):
            async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
                try:
                    await asyncio.sleep(30)
                finally:
                    ended.set()
                return []

        async def main() -> None:
            async with asyncio.timeout(0.1):
                await Reranker(Long()).arank("q", TEXTS)

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert ended.wait(5)

    def test_rank_within_a_ranking_is_refused(self) -> None:
        """It would wait for itself."""

        class Nested(ScorerBase):
            async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
                return [hit.score for hit in Reranker("bm25").rank(query, list(texts)).all]

        assert "would wait for itself" in Reranker(Nested()).rank("q", TEXTS).report.why

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_it_works_after_a_fork(self) -> None:
        """The child gets a loop of its own."""
        code = (
            "import os, warnings; warnings.simplefilter('ignore')\n"
            "from rerank_core import Reranker\n"
            "r = Reranker('bm25'); r.rank('b', ['a b', 'c'])\n"
            "pid = os.fork()\n"
            "text = r.rank('c', ['a b', 'c'])[0].text\n"
            "if pid == 0: os._exit(0 if text == 'c' else 1)\n"
            "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        )

        assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

    def test_it_pickles(self) -> None:
        """A copy in another process ranks alike."""
        reranker = Reranker("hybrid", top_n=2)

        copy = pickle.loads(pickle.dumps(reranker))

        assert copy.rank("Italy", TEXTS).to_dicts() == reranker.rank("Italy", TEXTS).to_dicts()

    def test_a_ranking_pickles(self) -> None:
        """It may go to another process, or into a cache of the user's own."""
        ranking = Reranker("bm25").rank("Italy", [{"text": text, "n": 1} for text in TEXTS])

        assert pickle.loads(pickle.dumps(ranking)).to_dicts() == ranking.to_dicts()

    def test_a_closed_reranker_opens_again(self) -> None:
        """`close` lets go; it does not forbid."""
        with Reranker("bm25") as reranker:
            reranker.rank("Italy", TEXTS)

        assert len(reranker.rank("Italy", TEXTS)) == 3

    def test_errors_have_one_root(self) -> None:
        """`except RerankError` catches all that the library raises on its own account."""
        assert issubclass(InvalidInputError, (RerankError, ValueError))
        assert issubclass(ConfigurationError, (RerankError, ValueError))
