"""Ways to ask: what each sends, what it makes of the answers, what it costs."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from typing import Any

import pytest
from llm_prompts import answering, read_prompt
from loopback import FAULTS, Answer, fixed, matching

from llm.conftest import ANSWER, FILLER, QUERY, TEXTS, Rank, Serve, grades, sent
from rerank_core import ConfigurationError, Reason, Reranker
from rerank_core.llm.answers import _warn_of_cuts
from rerank_core.llm.prompts import Prompt
from rerank_core.scorers import LLMScorer
from rerank_core.stores.memory import MemoryStore

EVERY = [
    {"strategy": "batch"},
    {"strategy": "batch", "passes": 3},
    {"strategy": "pointwise"},
    {"strategy": "pointwise", "passes": 2},
    {"strategy": "listwise"},
    {"strategy": "listwise", "algorithm": "blocks", "passes": 2},
    {"strategy": "listwise", "algorithm": "sliding-window"},
]


def said(options: dict[str, Any]) -> str:
    return "-".join(str(value) for value in options.values())


class TestEveryStrategy:
    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_the_best_document_comes_first(
        self, serve: Serve, rank_by_either: Rank, options: dict[str, Any]
    ) -> None:
        """Every document once, all of them scored, and the report counts what the server saw."""
        server = serve()

        ranking = rank_by_either(**options)

        assert ranking.all[0].text == ANSWER
        assert sorted(hit.index for hit in ranking.all) == list(range(len(TEXTS)))
        assert ranking.report.coverage == 1.0
        assert not ranking.report.degraded
        assert ranking.report.calls == len(server.requests)
        assert ranking.report.prompt_tokens > 0

    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_no_more_calls_are_under_way_than_allowed(
        self, serve: Serve, rank: Rank, options: dict[str, Any]
    ) -> None:
        """`max_concurrency` bounds calls, whatever a strategy makes of a batch."""
        server = serve()

        rank(concurrency=2, **options)

        assert server.max_in_flight <= 2

    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_one_document_is_scored(
        self, serve: Serve, rank: Rank, options: dict[str, Any]
    ) -> None:
        """Alone it still has a score, and where there is nothing to order no call is made."""
        serve()

        ranking = rank(texts=[ANSWER], **options)

        assert ranking.all[0].score is not None
        assert ranking.report.calls <= options.get("passes", 1)

    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_a_call_that_fails_once_is_tried_again(
        self, serve: Serve, rank: Rank, options: dict[str, Any]
    ) -> None:
        """Listwise calls are retried one by one, as batches are."""
        serve(None, FAULTS["server-error"].only(lambda request: request.number == 0))

        ranking = rank(**options)

        assert ranking.all[0].text == ANSWER
        assert (ranking.report.retries, ranking.report.degraded) == (1, False)

    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_it_pickles(self, serve: Serve, options: dict[str, Any]) -> None:
        """With all that it is, without the key."""
        serve()

        copy = pickle.loads(pickle.dumps(LLMScorer(**options)))

        assert copy.fingerprint == LLMScorer(**options).fingerprint
        assert hasattr(copy, "stream") == (options["strategy"] == "listwise")

    def test_fingerprints_differ(self, serve: Serve) -> None:
        """A score that was asked for otherwise is another score."""
        serve()
        more = [{"max_chars": 10}, {"group_size": 3}, {"instruction": "x"}, {"scale": (0, 3)}]

        prints = {LLMScorer(**options).fingerprint for options in [*EVERY, *more]}

        assert len(prints) == len(EVERY) + len(more)


class TestPointwise:
    def test_each_document_is_asked_about_alone(self, serve: Serve, rank: Rank) -> None:
        """So a document that persuades the model harms no other."""
        server = serve()

        rank(strategy="pointwise")

        assert len(server.requests) == len(TEXTS)
        assert all(len(read_prompt(prompt).documents) == 1 for prompt in sent(server))

    def test_the_grade_is_the_mean_over_the_digits(
        self, serve: Serve, rank_by_either: Rank
    ) -> None:
        """Of the numbers that the model considered, as likely as it thought each."""
        serve(fixed(Answer("7", logprobs=[{"7": math.log(0.6), "9": math.log(0.2)}])))

        ranking = rank_by_either(texts=[ANSWER], strategy="pointwise")

        assert grades(ranking) == [pytest.approx(0.75)]
        assert ranking.all[0].components["llm:raw"] == pytest.approx(7.5)

    @pytest.mark.parametrize("reply", ["8", "8/10", "**8**", "Relevance: 8 (because …)"])
    def test_without_log_probabilities_the_text_counts(
        self, serve: Serve, rank: Rank, reply: str
    ) -> None:
        """A server that refuses them is asked without."""
        serve(fixed(reply), refuses={"logprobs"})

        assert grades(rank(texts=[ANSWER], strategy="pointwise")) == [pytest.approx(0.8)]


class TestBatch:
    def test_a_group_is_filled_by_tokens_too(self, serve: Serve, rank: Rank) -> None:
        """Long documents share a call with fewer."""
        server = serve()
        texts = [f"{text} " + "word " * 150 for text in FILLER[:6]]

        rank(texts=texts, group_tokens=500)

        assert [len(read_prompt(prompt).documents) for prompt in sent(server)] == [2, 2, 2]

    def test_a_long_query_leaves_room_for_documents(self, serve: Serve, rank: Rank) -> None:
        """It keeps at most half of the tokens, and the report says that it was cut."""
        server = serve()

        ranking = rank(query="capital of Italy " * 200, texts=[ANSWER], group_tokens=200)

        assert ANSWER in sent(server)[0]
        assert any("query was cut" in note for note in ranking.report.notes)

    def test_tokens_are_counted_by_the_models_own_tokenizer(self, serve: Serve, rank: Rank) -> None:
        """Where one is given; a document is then cut to exactly as many."""
        server = serve()

        ranking = rank(
            texts=["one two three four five"],
            document_tokens=3,
            count_tokens=lambda text: len(text.split()),
        )

        assert "one two three\n" in sent(server)[0]
        assert ranking.report.truncated == 1

    def test_passes_cancel_a_liking_for_a_place(self, serve: Serve, rank: Rank) -> None:
        """A model that grades by place alone grades everyone alike after two passes."""
        serve(fixed('{"scores": [{"id": 1, "score": 10}, {"id": 2, "score": 0}]}'))

        assert grades(rank(texts=["a", "b"], passes=2)) == [0.5, 0.5]

    def test_a_pass_that_fails_has_no_vote(self, serve: Serve, rank: Rank) -> None:
        """The others count, and a note tells."""
        serve(None, FAULTS["payment"].only(lambda request: request.number == 1))

        ranking = rank(texts=TEXTS[-5:], passes=3)

        assert ranking.report.coverage == 1.0
        assert any("one of 3 calls" in note for note in ranking.report.notes)


class TestLongDocuments:
    LONG = "filler about nothing " * 30 + ANSWER
    #: As long as what both frameworks' splitters make unless told otherwise, with a header.
    CHUNK = "file_path: /srv/docs/manual.md\n\n" + "nothing of the kind " * 200

    @pytest.mark.parametrize(
        ("options", "count"),
        [
            ({}, 10),
            ({"passes": 2}, 10),
            ({"strategy": "pointwise"}, 2),
            ({"strategy": "listwise"}, 20),
        ],
        ids=str,
    )
    def test_default_chunks_are_shown_whole(
        self, serve: Serve, rank: Rank, options: dict[str, Any], count: int
    ) -> None:
        """What stands at their end is seen, and a group of ten or a window of twenty is one."""
        server = serve()

        ranking = rank(texts=[self.CHUNK + f"end {n}" for n in range(count)], **options)

        assert (ranking.report.truncated, ranking.report.notes) == (0, ())
        assert all(any(f"end {n}\n" in prompt for prompt in sent(server)) for n in range(count))
        per_call = 1 if options.get("strategy") == "pointwise" else count
        assert {len(read_prompt(prompt).documents) for prompt in sent(server)} == {per_call}

    @pytest.mark.parametrize(
        "options", [{"max_chars": 100}, {"document_tokens": 30}, {"group_tokens": 200}], ids=str
    )
    def test_what_is_cut_is_told(
        self,
        serve: Serve,
        rank: Rank,
        options: dict[str, Any],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """In every report, and once in the log."""
        _warn_of_cuts.cache_clear()
        serve()

        for _ in range(2):
            ranking = rank(texts=[self.CHUNK, ANSWER], **options)
            assert ranking.report.truncated == 1
            assert "the model saw their beginning" in ranking.report.why

        assert caplog.text.count("the model saw their beginning") == 1

    def test_a_document_is_graded_by_its_best_passage(self, serve: Serve, rank: Rank) -> None:
        """Nothing of it is left out, and its other passages cost it nothing."""
        serve()

        cut, whole = (
            rank(texts=[self.LONG, *FILLER[:3]], max_chars=100, long_documents=way)
            for way in ("truncate", "best-passage")
        )

        assert cut.report.truncated == 1
        assert whole.report.truncated == 0
        assert (grades(cut)[0] or 0) < (grades(whole)[0] or 0)

    def test_pointwise_takes_a_call_for_each_passage(self, serve: Serve, rank: Rank) -> None:
        """And the best one counts."""
        server = serve()

        ranking = rank(
            texts=[self.LONG], strategy="pointwise", max_chars=300, long_documents="best-passage"
        )

        assert len(server.requests) == 3
        assert grades(ranking)[0] == pytest.approx(0.7, abs=0.3)


class TestListwise:
    def test_scores_only_tell_an_order(self, serve: Serve, rank: Rank) -> None:
        """Even steps from 1 down, and the scorer says that they are ordinal."""
        serve()

        ranking = rank(texts=TEXTS[-4:], strategy="listwise")

        assert [hit.score for hit in ranking.all] == [1.0, 0.75, 0.5, 0.25]
        assert LLMScorer(strategy="listwise").ordinal

    def test_what_the_model_leaves_out_is_unscored(self, serve: Serve, rank: Rank) -> None:
        """Nobody was asked to make up a place for it."""
        serve(fixed('{"order": [3, 99, 3, 1]}'))

        ranking = rank(texts=TEXTS[:4], strategy="listwise")

        assert [hit.index for hit in ranking.all if hit.score is not None] == [2, 0]
        assert ranking.report.reasons == (Reason.INCOMPLETE,)

    def test_a_group_that_fails_is_told(self, serve: Serve, rank: Rank) -> None:
        """The other groups count, and the report has the reason."""
        serve(None, FAULTS["payment"].only(matching("filler number 23")))

        ranking = rank(strategy="listwise", window=5, algorithm_options={"top": 2})

        assert ranking.report.reasons == (Reason.PAYMENT,)
        assert 0 < ranking.report.coverage < 1
        assert len(ranking.all) == len(TEXTS)

    def test_the_last_order_before_the_deadline_counts(self, serve: Serve) -> None:
        """The first window is in, the second round hangs."""
        from rerank_core import Reranker

        serve(None, FAULTS["silent"].only(lambda request: request.number > 0))
        with Reranker(LLMScorer(strategy="listwise", window=10), timeout=0.5) as reranker:
            reranker.warm_up()
            ranking = reranker.rank(QUERY, TEXTS)

        assert ranking.report.reasons == (Reason.TIMEOUT,)
        assert ranking.report.coverage == pytest.approx(10 / 25)

    def test_rounds_that_have_no_room_at_once_are_counted(self, serve: Serve, rank: Rank) -> None:
        """Ten calls, two at a time, are five rounds."""
        serve()

        report = rank(strategy="listwise", algorithm="blocks", window=5, concurrency=2).report

        assert (report.calls, report.rounds) == (10, 5)


class TestBudget:
    @pytest.mark.parametrize("options", EVERY, ids=said)
    @pytest.mark.parametrize("cap", [0, 1])
    def test_no_more_calls_are_made_than_allowed(
        self, serve: Serve, rank: Rank, options: dict[str, Any], cap: int
    ) -> None:
        """What is in counts, the rest is placed by estimate, and the reason is the budget."""
        server = serve()

        ranking = rank(max_calls=cap, **options)

        assert len(server.requests) <= cap
        assert Reason.BUDGET in ranking.report.reasons
        assert len(ranking.all) == len(TEXTS)

    def test_tokens_are_capped_even_with_calls_at_once(self, serve: Serve, rank: Rank) -> None:
        """Calls under way count by the most they can take."""
        serve()

        report = rank(max_tokens=1500).report

        assert report.prompt_tokens + report.completion_tokens <= 1500
        assert 0 < report.coverage < 1
        assert Reason.BUDGET in report.reasons

    def test_each_ranking_has_the_whole_budget(self, serve: Serve) -> None:
        """Nothing is carried over from the one before."""
        from rerank_core import Reranker

        serve()
        with Reranker(LLMScorer(max_calls=3)) as reranker:
            reports = [reranker.rank(QUERY, TEXTS).report for _ in range(2)]

        assert [report.degraded for report in reports] == [False, False]

    def test_a_cap_on_an_unknown_cost_is_refused(self, serve: Serve) -> None:
        """A server of one's own has no price: the cap could not be kept."""
        serve()

        with pytest.raises(ConfigurationError, match="no price is known"):
            LLMScorer(max_cost=0.01)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"strategy": "setwise"}, "strategy is 'batch'"),
            ({"window": 20}, "no meaning with strategy='batch'"),
            ({"strategy": "pointwise", "group_size": 5}, "no meaning"),
            ({"strategy": "listwise", "algorithm": "bubble"}, "bubble"),
            ({"strategy": "listwise", "window": 1}, "window"),
            (
                {"strategy": "listwise", "algorithm_options": {"stride": 2}},
                "no option stride.*, top",
            ),
            ({"strategy": "listwise", "long_documents": "best-passage"}, "best-passage"),
            ({"long_documents": "split"}, "best-passage"),
            ({"passes": 0}, "passes"),
            ({"group_size": 0}, "group_size"),
            ({"group_tokens": 5}, "group_tokens"),
            ({"max_chars": 0}, "max_chars"),
            ({"max_calls": -1}, "max_calls"),
            ({"scale": (10, 0)}, "low < high"),
        ],
    )
    def test_what_cannot_be_is_refused_at_once(
        self, serve: Serve, options: dict[str, Any], hint: str
    ) -> None:
        """Before any call, with what would work."""
        serve()

        with pytest.raises(ConfigurationError, match=hint):
            LLMScorer(**options)


class TestPrompts:
    def test_the_instruction_reaches_the_model(self, serve: Serve, rank: Rank) -> None:
        """It stands in the system's message of every strategy."""
        server = serve()

        for strategy in ("batch", "pointwise", "listwise"):
            rank(texts=TEXTS[:2], strategy=strategy, instruction="Only peer-reviewed sources.")

        systems = [request.json["messages"][0]["content"] for request in server.requests]
        assert all("Only peer-reviewed sources." in system for system in systems)

    def test_the_scale_has_anchors_at_its_ends_and_middle(self) -> None:
        """A number without a meaning would be another one in each call."""
        system, _ = Prompt().render(QUERY, ["x"], (0, 4))

        assert all(f"\n{grade}: " in system for grade in (0, 2, 4))

    @pytest.mark.parametrize(
        ("template", "hint"),
        [
            ("{query} {documents} {oops}", "oops"),
            ("{query} {documents} {", "doubled"),
            ("{query}", "never shows the model {documents}"),
            ("{documents}", "never shows the model {query}"),
        ],
    )
    def test_a_template_that_cannot_work_is_refused(self, template: str, hint: str) -> None:
        """When it is made, not when it is first used."""
        with pytest.raises(ConfigurationError, match=hint):
            Prompt(user=template)

    def test_it_can_be_replaced(self, serve: Serve, rank: Rank) -> None:
        """By one's own words, around the same fences."""
        server = serve(answering())

        rank(texts=[ANSWER], prompt=Prompt("own-1", user="Grade all\nQuery: {query}\n{documents}"))

        assert sent(server)[0].startswith(f"Grade all\nQuery: {QUERY}\n[1] <<<")

    @pytest.mark.parametrize("options", EVERY, ids=said)
    def test_another_one_makes_another_scorer(self, serve: Serve, options: dict[str, Any]) -> None:
        """It asks by the new prompt, and a cache that they share keeps their scores apart."""
        server = serve()
        scorer = LLMScorer(**options)
        before, cache = scorer.fingerprint, MemoryStore()
        with Reranker(scorer, cache=cache, timeout=20.0) as reranker:
            reranker.rank(QUERY, TEXTS)
            asked = len(server.requests)

            other = scorer.with_prompt(replace(scorer.prompt, system="The other prompt."))
            with Reranker(other, cache=cache, timeout=20.0) as again:
                again.rank(QUERY, TEXTS)

            systems = [request.json["messages"][0]["content"] for request in server.requests]
            assert "The other prompt." not in systems[:asked]
            assert set(systems[asked:]) == {"The other prompt."}
            assert scorer.fingerprint == before != other.fingerprint
            assert reranker.rank(QUERY, TEXTS).report.calls == 0
