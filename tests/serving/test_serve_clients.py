"""Clients that nobody here wrote, over a real socket: the library's own ranking comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn")

from rerank_core import Reranker, ScorerError
from rerank_core.scorers import CohereScorer, RerankAPIScorer
from serving.served import QUERY, TEXTS, Running, running

pytestmark = pytest.mark.slow

KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "models").mkdir()
    file = folder / "models" / "rerank-v3.5.toml"
    file.write_text('[reranker]\nscorer = "bm25"\n[serve]\naliases = ["*"]\n')
    (folder / "keys").write_text(KEY)
    with running(folder, "models", "--api-keys", "keys", "--max-documents", "50") as server:
        yield server


@pytest.fixture(scope="module")
def expected() -> list[tuple[int, float]]:
    with Reranker("bm25", top_n=None) as reranker:
        ranking = reranker.rank(QUERY, TEXTS)
    return [(hit.index, hit.score) for hit in ranking if hit.score is not None]


def same(found: Any, expected: list[tuple[int, float]]) -> bool:
    return [(index, pytest.approx(score)) for index, score in found] == expected


@pytest.mark.versions
def test_coheres_sdk_v2(served: Running, expected: list[tuple[int, float]]) -> None:
    """And its errors are Cohere's."""
    cohere = pytest.importorskip("cohere")
    with httpx.Client() as http:
        client, wrong = (
            cohere.ClientV2(key, base_url=served.url, httpx_client=http)
            for key in (KEY, "wrong-horse")
        )
        answer = client.rerank(model="rerank-v3.5", query=QUERY, documents=TEXTS)
        with pytest.raises(cohere.core.ApiError) as caught:
            wrong.rerank(model="rerank-v3.5", query=QUERY, documents=TEXTS)

    assert same(((hit.index, hit.relevance_score) for hit in answer.results), expected)
    assert caught.value.status_code == 401
    assert caught.value.body == {"message": "invalid API key"}


@pytest.mark.versions
def test_coheres_sdk_v1(served: Running, expected: list[tuple[int, float]]) -> None:
    """With the documents, where it asks for them."""
    cohere = pytest.importorskip("cohere")
    with httpx.Client() as http:
        client = cohere.Client(KEY, base_url=served.url, httpx_client=http)
        answer = client.rerank(
            model="rerank-v3.5", query=QUERY, documents=TEXTS, return_documents=True, top_n=2
        )

    assert same(((hit.index, hit.relevance_score) for hit in answer.results), expected[:2])
    assert answer.results[0].document.text == TEXTS[1]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
@pytest.mark.parametrize("provider", ["common", "tei", "infinity", "litellm"])
def test_our_own_scorers(
    served: Running, expected: list[tuple[int, float]], path: str, provider: str
) -> None:
    """A reranker may ask a reranker."""
    if (provider == "tei") != (path == "/rerank") and provider == "tei":
        pytest.skip("TEI has one path")
    scorer = RerankAPIScorer(f"{served.url}{path}", "any", provider=provider, api_key=KEY)
    with Reranker(scorer, top_n=None) as reranker:
        ranking = reranker.rank(QUERY, TEXTS)

    assert not ranking.report.degraded, ranking.report.why
    assert same(((hit.index, hit.score) for hit in ranking), expected)


@pytest.mark.versions
def test_our_own_cohere_scorer(served: Running, expected: list[tuple[int, float]]) -> None:
    """More documents than one request may hold go in parts, as the answer says how many."""
    pytest.importorskip("cohere")
    many = [*TEXTS, *(f"filler {number}" for number in range(100))]
    with Reranker(CohereScorer("any", api_key=KEY, base_url=served.url), top_n=1) as reranker:
        few, all_of_them = reranker.rank(QUERY, TEXTS), reranker.rank(QUERY, many)

    assert few[0].index == expected[0][0]
    assert all_of_them[0].index == 1
    assert all_of_them.report.coverage == 1.0


def test_a_wrong_key_is_an_error_of_ours(served: Running) -> None:
    """That names what is wrong."""
    scorer = RerankAPIScorer(f"{served.url}/v1/rerank", "any", api_key="wrong-horse")
    with Reranker(scorer) as reranker, pytest.raises(ScorerError) as caught:
        reranker.rank(QUERY, TEXTS)

    assert caught.value.reason == "auth"


@pytest.mark.filterwarnings("ignore")  # of its own making, on import
def test_litellm(
    served: Running, expected: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Cohere, Infinity and a hosted vLLM: each is a shape of its own there."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it asks the network
    litellm = pytest.importorskip("litellm")
    bases = {
        "cohere": f"{served.url}/v2/rerank",
        "infinity": served.url,
        "hosted_vllm": served.url,
    }
    for provider, base in bases.items():
        answer = litellm.rerank(
            model=f"{provider}/any",
            query=QUERY,
            documents=TEXTS,
            api_base=base,
            api_key=KEY,
            return_documents=False,  # Infinity's are no objects, and nobody says which is meant
        )
        found = [(hit["index"], hit["relevance_score"]) for hit in answer.results]
        assert same(found, expected), provider


def test_rerankers(
    served: Running, expected: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its API ranker, by the address of each vendor that it knows."""
    ranker = pytest.importorskip("rerankers.models.api_rankers")
    for vendor, path in (("cohere", "/v1/rerank"), ("jina", "/v1/rerank")):
        monkeypatch.setitem(ranker.URLS, vendor, f"{served.url}{path}")
        found = ranker.APIRanker("any", KEY, vendor, verbose=0).rank(QUERY, TEXTS)

        assert same(((hit.doc_id, hit.score) for hit in found.results), expected), vendor


@pytest.mark.filterwarnings("default::DeprecationWarning")  # of theirs, on import
def test_langchains_own_integrations(
    served: Running, expected: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cohere's by its package, Jina's by the community's; none there is for TEI."""
    cohere = pytest.importorskip("langchain_cohere.rerank")
    jina = pytest.importorskip("langchain_community.document_compressors.jina_rerank")
    from langchain_core.documents import Document

    monkeypatch.setattr(jina, "JINA_API_URL", f"{served.url}/v1/rerank")
    documents = [Document(text, metadata={"at": at}) for at, text in enumerate(TEXTS)]
    compressors = [
        cohere.CohereRerank(model="any", cohere_api_key=KEY, base_url=served.url, top_n=len(TEXTS)),
        jina.JinaRerank(model="any", jina_api_key=KEY, top_n=len(TEXTS)),
    ]
    for compressor in compressors:
        found = compressor.compress_documents(documents, QUERY)
        scored = [(hit.metadata["at"], hit.metadata["relevance_score"]) for hit in found]

        assert same(scored, expected), type(compressor)
    compressors[0].client._client_wrapper.httpx_client.httpx_client.close()  # which it leaves open


@pytest.mark.parametrize("of", ["cohere", "jinaai", "tei"])
def test_llamaindex_own_integrations(
    served: Running, expected: list[tuple[int, float]], of: str
) -> None:
    """Each speaks to its vendor's own path."""
    theirs = pytest.importorskip(f"llama_index.postprocessor.{of}_rerank")
    from llama_index.core.schema import NodeWithScore, TextNode

    made: dict[str, Callable[[], Any]] = {
        "cohere": lambda: theirs.CohereRerank(
            model="any", api_key=KEY, base_url=served.url, top_n=len(TEXTS)
        ),
        "jinaai": lambda: theirs.JinaRerank(
            model="any", api_key=KEY, base_url=f"{served.url}/v1", top_n=len(TEXTS)
        ),
        "tei": lambda: theirs.TextEmbeddingInference(
            base_url=served.url, auth_token=f"Bearer {KEY}", top_n=len(TEXTS)
        ),
    }
    nodes = [NodeWithScore(node=TextNode(text=t, id_=str(at))) for at, t in enumerate(TEXTS)]
    postprocessor = made[of]()
    found = postprocessor.postprocess_nodes(nodes, query_str=QUERY)
    if of == "cohere":  # which leaves it open
        postprocessor._client._client_wrapper.httpx_client.httpx_client.close()

    assert same(((int(hit.node.node_id), hit.score) for hit in found), expected)


def test_teis_own_parameters(served: Running, expected: list[tuple[int, float]]) -> None:
    """That no integration sends, and its clients in other languages do."""
    body = {"query": QUERY, "texts": TEXTS, "raw_scores": False, "truncate": True}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{served.url}/rerank", json=body, headers=headers)

    assert same(((hit["index"], hit["score"]) for hit in answer.json()), expected)


def test_what_the_openapi_document_says_holds(served: Running) -> None:
    """Schemathesis asks all of it, rightly and wrongly: nothing is answered with a 5xx."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, settings

    headers = {"Authorization": f"Bearer {KEY}"}
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    asked = 0
    modes = schemathesis.GenerationMode
    for operation in schema.get_all_operations():
        for mode in (modes.POSITIVE, modes.NEGATIVE):

            @settings(
                max_examples=10,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                derandomize=True,
                database=None,
            )
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                assert case.call(headers=headers, timeout=20).status_code < 500

            try:
                strategy = operation.ok().as_strategy(generation_mode=mode)
            except Exception:
                continue
            tried: Callable[[], None] = _given(strategy, ask)
            try:
                tried()
            except Exception as error:
                if type(error).__name__ not in ("Unsatisfiable", "SkipTest"):
                    raise
    assert asked > 50


def _given(strategy: Any, ask: Callable[[Any], None]) -> Callable[[], None]:
    from hypothesis import given

    tried: Callable[[], None] = given(case=strategy)(ask)
    return tried


def test_two_servers_share_what_one_has_asked(tmp_path: Path) -> None:
    """By one Redis; it is stopped and started under load, and no ranking fails."""
    from real_servers.redis_servers import answers, free_ports, redis_server, until

    pytest.importorskip("redis")
    (port,) = free_ports(1)
    cache = redis_server(tmp_path / "redis", port)
    model = tmp_path / "m.toml"
    # BM25 is not worth a cache; an embedder's scores would be, and this one is at hand
    scorer = write_scorer(tmp_path)
    model.write_text(f'[reranker]\nscorer = "{scorer}"\ncache = "redis://127.0.0.1:{port}/0"\n')
    try:
        until(answers(port), "Redis answers")
        with running(tmp_path / "a", str(model)) as one, running(tmp_path / "b", str(model)) as two:
            reports = [asked(server, "shared question") for server in (one, two)]
            assert [report["cache_hits"] for report in reports] == [0, 3]

            async def load() -> list[dict[str, Any]]:
                found = []
                for number in range(60):
                    if number == 10:
                        cache.stop()
                    if number == 40:
                        cache.start()
                        await asyncio.to_thread(until, answers(port), "Redis is back")
                    both = [
                        asyncio.to_thread(asked, server, f"question {number}")
                        for server in (one, two)
                    ]
                    found += await asyncio.gather(*both)
                return found

            found = asyncio.run(load())
            assert all(report["coverage"] == 1.0 for report in found)
            assert not any(report["degraded"] for report in found)
            assert any("cache" in report["reasons"] for report in found)
            until(lambda: "cache" not in asked(one, "again")["reasons"], "it is used again")
            until(lambda: asked(two, "again")["cache_hits"] == 3, "and shared again")
    finally:
        cache.stop()


def asked(server: Running, query: str) -> dict[str, Any]:
    import json

    body = {"query": query, "documents": TEXTS}
    answer = httpx.post(f"{server.url}/v2/rerank", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = json.loads(answer.headers["x-rerank-report"])
    return report


def write_scorer(folder: Path) -> str:
    """A small model in onnxruntime, by its name."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    from models import add_onnx, tiny_cross_encoder

    made = tiny_cross_encoder(folder / "tiny")
    add_onnx(made)
    return f"onnx:{made}"
