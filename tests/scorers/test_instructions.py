"""One instruction, in the words of whatever takes one; where nothing does, an error at the door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from loopback import OpenAIAPI, RerankAPI, Server, asked, scoring
from models import tiny_causal_reranker

from rerank_core import Cascade, ConfigurationError, Reranker
from rerank_core.combine import WeightedSum
from rerank_core.llm.prompts import Prompt
from rerank_core.protocols import Scorer, ScorerBase
from rerank_core.scorers import (
    BM25Scorer,
    CohereScorer,
    EmbeddingScorer,
    FunctionScorer,
    LLMScorer,
    RerankAPIScorer,
)

TOLD = "Only what is in force counts."
TEXTS = ["a law", "a repealed law", "no law"]


class Told(ScorerBase):
    """A user's own scorer that takes one."""

    name = "told"
    independent = True

    def __init__(self, instruction: str = "") -> None:
        self.instruction, self.fingerprint = instruction, f"told {instruction}"
        self.calls = 0

    def with_instruction(self, instruction: str) -> Told:
        return Told(instruction)

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.calls += 1
        return [float(len(self.instruction) + len(text)) / 100 for text in texts]


def silent(query: str, texts: Sequence[str]) -> list[float]:
    """Takes none."""
    return [0.5] * len(texts)


@pytest.fixture
def llm() -> Iterator[Server]:
    with Server(OpenAIAPI(scoring(lambda query, text: 5))) as server:
        yield server


def chat(server: Server, **options: Any) -> LLMScorer:
    return LLMScorer(model="m", base_url=f"{server.url}/v1", api_key="k", **options)


class TestWhatIsSaid:
    @pytest.mark.parametrize("strategy", ["batch", "pointwise", "listwise"])
    def test_a_chat_model_finds_it_in_its_prompt(self, llm: Server, strategy: Any) -> None:
        """Whatever the strategy asks; the scorer that was handed in stays as it was."""
        scorer = chat(llm, strategy=strategy)
        with Reranker(scorer, instruction=TOLD, timeout=60) as reranker:
            reranker.rank("q", TEXTS)

        assert TOLD in llm.requests[-1].json["messages"][0]["content"]
        assert TOLD not in scorer.prompt.instruction
        assert reranker.scorers["llm"].prompt.instruction == TOLD  # type: ignore[attr-defined]

    @pytest.mark.parametrize("model", ["rerank-2.5", "rerank-2.5-lite", "rerank-3"])
    def test_voyage_reads_it_in_the_query(self, model: str) -> None:
        """Before it, on a line of its own."""
        with Server(RerankAPI("voyage")) as server:
            scorer = RerankAPIScorer(server.url, model, provider="voyage", api_key="k")
            with Reranker(scorer, instruction=TOLD, timeout=60) as reranker:
                reranker.rank("law", TEXTS)

        assert json.loads(server.requests[0].body)["query"] == f"{TOLD}\nQuery: law"

    def test_dashscope_has_a_field_for_it(self) -> None:
        """For the models that know it."""
        scorer = RerankAPIScorer(
            "https://dashscope-intl.aliyuncs.com", "qwen3-rerank", api_key="k"
        ).with_instruction(TOLD)

        body = scorer._body("law", TEXTS)
        assert body["parameters"]["instruct"] == TOLD
        assert body["input"]["query"] == "law"

    @pytest.mark.slow
    def test_a_local_model_is_prompted(self, tmp_path: Path) -> None:
        """As sentence-transformers has it."""
        pytest.importorskip("sentence_transformers")
        from rerank_core.scorers import CrossEncoderScorer

        plain = CrossEncoderScorer(tiny_causal_reranker(tmp_path / "model"))
        told, same = plain.with_instruction(TOLD), CrossEncoderScorer(plain.model, instruction=TOLD)

        assert asked(told, "capital", ["paris"]) == asked(same, "capital", ["paris"])
        assert asked(told, "capital", ["paris"]) != asked(plain, "capital", ["paris"])
        assert told.fingerprint == same.fingerprint

    def test_an_embedding_model_reads_it_before_the_query(self) -> None:
        """As models trained with instructions do; the texts stay as they are."""
        pytest.importorskip("sentence_transformers")
        seen: list[tuple[list[str], str | None]] = []

        class Encoder:
            class device:  # noqa: N801
                type = "cpu"

            def encode_query(self, texts: list[str], *, prompt: Any, **options: Any) -> Any:
                seen.append((texts, prompt))
                return [[1.0, 0.0] for _ in texts]

            encode = encode_document = encode_query

        with Reranker(EmbeddingScorer(Encoder()), instruction=TOLD) as reranker:
            reranker.rank("law", TEXTS)

        assert (["law"], f"Instruct: {TOLD}\nQuery: ") in seen
        assert {prompt for texts, prompt in seen if texts != ["law"]} == {None}


class TestWhereNoneIsTaken:
    @pytest.mark.parametrize(
        ("make", "hint"),
        [
            (lambda: "bm25", r"bm25 \(BM25Scorer\) takes none"),
            (lambda: None, "bm25"),
            (lambda: silent, r"silent|function"),
            (lambda: CohereScorer(api_key="k"), r"cohere \(CohereScorer\) takes none"),
            (lambda: RerankAPIScorer("http://h/rerank"), "api: common's rerank API documents no"),
            (
                lambda: RerankAPIScorer("https://api.voyageai.com", "rerank-2", api_key="k"),
                r"'rerank-2' follows no instruction; rerank-2\.5\*",
            ),
            (
                lambda: RerankAPIScorer(
                    "https://dashscope.aliyuncs.com", "gte-rerank-v2", api_key="k"
                ),
                "'gte-rerank-v2' follows no instruction",
            ),
            (lambda: EmbeddingScorer(api_key="k"), "embedding: .*query_prompt="),
            (lambda: {"a": "bm25", "b": silent}, r"a \(BM25Scorer\).*b \(FunctionScorer\)"),
            (
                lambda: LLMScorer(
                    model="m",
                    api_key="k",
                    prompt=Prompt(system="Grade.", user="{query}{documents}"),
                ),
                r"llm: the prompt has no \{instruction\}",
            ),
        ],
    )
    def test_it_is_refused_at_the_door(self, make: Callable[[], Any], hint: str) -> None:
        """With the name of each scorer, and why."""
        combine = WeightedSum({"retrieval": 1})

        with pytest.raises(ConfigurationError, match=f"^instruction= has no use: .*({hint})"):
            Reranker(make(), instruction=TOLD, combine=combine)

    @pytest.mark.parametrize("wrong", ["", "  ", 3, ["x"]])
    def test_it_is_a_sentence(self, wrong: Any) -> None:
        """Or None."""
        with pytest.raises(ConfigurationError, match=r"^instruction is a sentence"):
            Reranker(Told(), instruction=wrong)

    def test_a_query_prompt_says_it_already(self) -> None:
        """Two things cannot stand before the query."""
        pytest.importorskip("sentence_transformers")

        with pytest.raises(ConfigurationError, match="query_prompt= says already"):
            Reranker(EmbeddingScorer("some/model", query_prompt="q: "), instruction=TOLD)


class TestWhoIsHandedIt:
    def test_each_that_takes_it_among_several(self) -> None:
        """The others go without."""
        bm25 = BM25Scorer()
        combine = WeightedSum({"a": 1, "b": 1, "c": 1})

        reranker = Reranker(
            {"a": Told(), "b": bm25, "c": Told("old")}, combine=combine, instruction=TOLD
        )

        assert reranker.scorers["a"].instruction == TOLD  # type: ignore[attr-defined]
        assert reranker.scorers["b"] is bm25
        assert reranker.scorers["c"].instruction == TOLD  # type: ignore[attr-defined]

    def test_each_that_takes_it_in_a_cascade(self) -> None:
        """In whatever stage; where none of any stage does, it is refused."""
        reranker = Reranker(Cascade("hybrid", (Told(), 10)), instruction=TOLD)

        assert reranker.scorers["told"].instruction == TOLD  # type: ignore[attr-defined]
        assert reranker.stages[1].scorers["told"] is reranker.scorers["told"]
        assert not reranker.rank("q", TEXTS).report.degraded
        with pytest.raises(ConfigurationError, match=r"bm25 \(.*; b \(FunctionScorer\) takes none"):
            Reranker(Cascade("hybrid", ({"b": silent}, 10)), instruction=TOLD)

    def test_a_fallback_where_it_takes_one(self) -> None:
        """Where it takes none it stands in all the same."""
        reranker = Reranker(
            Told(), fallback={"one": Told(), "other": FunctionScorer(silent)}, instruction=TOLD
        )

        assert reranker.fallback["one"].instruction == TOLD  # type: ignore[attr-defined]
        assert isinstance(reranker.fallback["other"], FunctionScorer)

    def test_a_fallback_alone_does_not_count(self) -> None:
        """The scorer is who was asked for."""
        with pytest.raises(ConfigurationError, match="instruction="):
            Reranker("bm25", fallback=Told(), instruction=TOLD)

    def test_another_instruction_is_another_score_in_the_cache(self) -> None:
        """And the same one the same."""
        reranker = Reranker(Told(), cache="memory")
        hits = []
        for instruction in (None, "a", "b", "a", None):
            one = reranker.replace(instruction=instruction)
            hits.append(one.rank("q", TEXTS).report.cache_hits)

        assert hits == [0, 0, 0, 3, 3]

    def test_replacing_something_else_keeps_the_scorers(self) -> None:
        """So that nothing is opened twice; None is the scorer that was handed in."""
        scorer: Scorer = Told()
        reranker = Reranker(scorer, instruction=TOLD)

        assert reranker.replace(top_n=1).scorers["told"] is reranker.scorers["told"]
        assert reranker.replace(instruction=None).scorers["told"] is scorer
        assert reranker.replace(scorer=Told("x")).scorers["told"].instruction == TOLD  # type: ignore[attr-defined]

    def test_one_that_is_closed_leaves_the_other_open(self) -> None:
        """Each has its own connections, to the same server."""
        with Server(RerankAPI("voyage")) as server:
            plain = RerankAPIScorer(server.url, "rerank-2.5", provider="voyage", api_key="k")
            one = Reranker(plain, timeout=60)
            other = one.replace(instruction=TOLD)
            for _ in range(2):
                assert not one.rank("law", TEXTS).report.degraded
                assert not other.rank("law", TEXTS).report.degraded
                one.close()
            other.close()

    def test_a_file_holds_it(self, tmp_path: Path) -> None:
        """Like any option."""
        (tmp_path / "r.toml").write_text(
            f'[reranker]\nscorer = "llm:gpt-4o-mini"\ninstruction = "{TOLD}"\n'
        )

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_API_KEY", "k")
            assert Reranker.from_config(tmp_path / "r.toml").instruction == TOLD


@pytest.mark.parametrize(
    "framework",
    [
        pytest.param(one, marks=pytest.mark.skipif(find_spec(needs) is None, reason=needs))
        for one, needs in (
            ("langchain_rerank", "langchain_core"),
            ("llamaindex_rerank", "llama_index"),
        )
    ],
)
def test_every_preset_hands_it_on(framework: str, llm: Server) -> None:
    """To what takes one; another is refused in the same words."""
    presets = import_module(framework)

    made = presets.LLMReranker(
        "m", base_url=f"{llm.url}/v1", api_key="k", instruction=TOLD, top_n=1
    )
    assert made.reranker.scorers["llm"].prompt.instruction == TOLD
    made = presets.RerankAPIReranker(
        "https://api.voyageai.com#rerank-2.5", api_key="k", instruction=TOLD
    )
    assert made.reranker.scorers["api"].instruction == TOLD
    for preset in (presets.BM25Reranker, presets.HybridReranker):
        with pytest.raises(ConfigurationError, match="instruction= has no use: bm25"):
            preset(instruction=TOLD)
