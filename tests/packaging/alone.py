"""Run by the Python of an environment that holds the wheel with one extra, or "bare", and no more.

    python -I tests/packaging/alone.py openai

Each optional part is tried. It works, or says which extra it wants; the one installed must work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the servers; nothing of the library

from loopback import OpenAIAPI, RerankAPI, Server, scoring

import rerank_core
from rerank_core import (
    Candidate,
    ConfigurationError,
    InvalidInputError,
    MissingExtraError,
    Reranker,
)

QUERY = "red apples"
TEXTS = ["green pears", "red apples", "red wine"]
KEY = "sk-loopback-0123456789abcdef"


def ranked(reranker: Reranker) -> None:
    """It answers, whole, with the right text first."""
    with reranker:
        ranking = reranker.rank(QUERY, TEXTS)
    assert ranking[0].text == "red apples", ranking
    assert ranking.report.coverage == 1, ranking.report.why


def core() -> None:
    ranked(Reranker())
    ranked(Reranker("bm25", cache="scores.sqlite"))


def openai() -> None:
    from rerank_core.scorers import LLMScorer

    with Server(OpenAIAPI(scoring())) as server:
        ranked(Reranker(LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)))


def cohere() -> None:
    from rerank_core.scorers import CohereScorer

    with Server(RerankAPI("cohere")) as server:
        ranked(Reranker(CohereScorer(base_url=server.url, api_key=KEY)))


def api() -> None:
    from rerank_core.scorers import RerankAPIScorer

    with Server(RerankAPI("tei")) as server:
        ranked(Reranker(RerankAPIScorer(server.url, provider="tei")))


def redis() -> None:
    # nobody listens there: the cache is left out, and the ranking is unharmed
    ranked(Reranker("bm25", cache="redis://127.0.0.1:9/0"))


def cross_encoder() -> None:
    from rerank_core.scorers import CrossEncoderScorer

    CrossEncoderScorer("nowhere/none")  # wants its packages when it is made
    from models import tiny_cross_encoder

    model = tiny_cross_encoder(Path("tiny").resolve())
    with Reranker(CrossEncoderScorer(str(model))) as reranker:
        assert reranker.rank(QUERY, TEXTS).report.coverage == 1


def onnx() -> None:
    from rerank_core.scorers import OnnxCrossEncoderScorer

    empty = Path("empty").resolve()
    empty.mkdir(exist_ok=True)
    with Reranker(OnnxCrossEncoderScorer(str(empty))) as reranker:
        try:
            reranker.warm_up()
        except ConfigurationError:
            return  # it got as far as looking for the model
    raise AssertionError("an empty folder is a model")


def evaluation() -> None:
    from rerank_core.evaluation import evaluate, of_candidates

    candidates = [Candidate(text, id=text) for text in TEXTS]
    collection = of_candidates({"1": QUERY}, {"1": candidates}, {"1": {"red apples": 1}})
    with Reranker("bm25") as reranker:
        result = evaluate(collection, {"bm25": reranker})
    assert result.systems[0].means["nDCG@10"] == 1


def bulk() -> None:
    from rerank_core.bulk import run

    record = {"query": QUERY, "documents": TEXTS}
    Path("candidates.jsonl").write_text(json.dumps(record), encoding="utf-8")
    with Reranker("bm25") as reranker:
        run("candidates.jsonl", "reranked.parquet", reranker)
    assert Path("reranked.parquet").stat().st_size


def ray() -> None:
    from rerank_core.bulk import Ray

    Ray(workers=1)  # wants its packages when it is made


def teach() -> None:
    from rerank_core.evaluation import of_candidates
    from rerank_core.teaching import teach

    unjudged = of_candidates({"1": QUERY}, {"1": [Candidate(TEXTS[0], id="1")]}, {})
    try:
        teach(unjudged, Reranker("bm25"), "student")  # wants its packages first
    except InvalidInputError:
        return
    raise AssertionError("nothing to measure by, and it teaches")


def langchain() -> None:
    reranker = import_module("langchain_rerank").HybridReranker(top_n=1)
    from langchain_core.documents import Document  # second: the first says what it wants

    documents = [Document(page_content=text) for text in TEXTS]
    best, *_ = reranker.compress_documents(documents, QUERY)
    assert best.page_content == "red apples"


def llamaindex() -> None:
    reranker = import_module("llamaindex_rerank").HybridReranker(top_n=1)
    from llama_index.core.schema import NodeWithScore, TextNode

    nodes = [NodeWithScore(node=TextNode(text=text)) for text in TEXTS]
    best, *_ = reranker.postprocess_nodes(nodes, query_str=QUERY)
    assert best.node.get_content() == "red apples"


def pandas() -> None:
    assert len(Reranker("bm25").rank(QUERY, TEXTS).to_df()) == len(TEXTS)


def otel() -> None:
    import opentelemetry.trace  # noqa: F401 - as whoever traces does; no spans go anywhere

    ranked(Reranker())


def cli() -> None:
    command = [str(Path(sysconfig.get_path("scripts")) / "rerank"), "rank", QUERY, "--json"]
    done = subprocess.run(command, input="\n".join(TEXTS), capture_output=True, text=True)
    if "dropin-rerank[cli]" in done.stderr:
        raise MissingExtraError("the command line", "cli")
    assert done.returncode == 0, done.stderr
    assert "red apples" in done.stdout


def serve() -> None:
    command = [sys.executable, "-c", "from rerank_core.cli.serve import serve; serve()"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3)
    except subprocess.TimeoutExpired:
        return  # it serves
    if "dropin-rerank[serve]" in done.stderr or "No module named 'typer'" in done.stderr:
        raise MissingExtraError("rerank serve", "serve")
    raise AssertionError(done.stderr)


PARTS: dict[str, Callable[[], None]] = {
    "bare": core,
    "api": api,
    "bulk": bulk,
    "cli": cli,
    "cohere": cohere,
    "cross-encoder": cross_encoder,
    "eval": evaluation,
    "langchain": langchain,
    "llamaindex": llamaindex,
    "onnx": onnx,
    "openai": openai,
    "otel": otel,
    "pandas": pandas,
    "ray": ray,
    "redis": redis,
    "serve": serve,
    "teach": teach,
}
#: What brings nothing of its own to be missed: without the package there is nothing to trace.
SILENT = {"otel"}


def missed(part: Callable[[], None]) -> MissingExtraError | None:
    """What it says is missing; None where it works."""
    try:
        part()
    except MissingExtraError as error:
        return error
    return None


def main(installed: str) -> None:
    """Try each part; what is missing must be said by the error that has the command."""
    place = Path(rerank_core.__file__)
    assert "site-packages" in place.parts, f"this is not the wheel: {place}"
    for name, part in PARTS.items():
        if name in SILENT and name != installed:
            continue
        error = missed(part)
        print(f"  {name:14} {error or 'works'}")
        if error is not None:
            assert name != installed, f"{name} is installed and wants more"
            assert error.extra == name, f"{name} is missing, and not {error.extra}"
            assert "pip install" in str(error)
            assert f"the extra {name!r} of dropin-rerank" in str(error)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main(sys.argv[1])
        os.chdir("/")
