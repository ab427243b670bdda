"""What the first call of a process takes under a deadline, and what comes back.

    python benchmarks/first_call.py [--timeout 1.0] [--only llm] [--face sync]

Each line is a fresh process that makes a reranker and ranks ten documents at once, through the
core, LangChain or LlamaIndex, by the sync face or the async one; the server, on this machine,
answers after 100 ms, and the models are made by `tests/models.py`. "cold" is the first call,
"warm" the same after `warm_up()`, whose own seconds stand behind it. Seconds are of the call alone:
importing the framework is the user's own affair. What came back is the share that was scored, and
the reasons where it is not all.

A busy machine makes every figure larger: the load average is printed below the table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
PLACES = [str(ROOT / place) for place in ("core", ".", "tests")]
sys.path[:0] = PLACES

LATENCY = 0.1
#: How much more than the deadline a call may take on an idle machine, in seconds.
GRACE = 0.1

SCORERS = {
    "llm": "S.LLMScorer('some-model', base_url=llm, api_key='none')",
    "api": "S.RerankAPIScorer(api, model='some-model', provider='jina', api_key='none')",
    "cohere": "S.CohereScorer(base_url=cohere, api_key='none')",
    "embedding": "S.EmbeddingScorer('openai:some-model', base_url=llm, api_key='none')",
    "onnx": "S.OnnxCrossEncoderScorer(model)",
}

WRAPPED = {
    "core": """
def first(reranker):
    return reranker.rank(QUERY, TEXTS)
async def afirst(reranker):
    return await reranker.arank(QUERY, TEXTS)
""",
    "langchain": """
from langchain_core.documents import Document
from langchain_rerank import RerankCompressor
def first(reranker):
    own = RerankCompressor(reranker=reranker)
    return own.compress_documents([Document(page_content=text) for text in TEXTS], QUERY)
async def afirst(reranker):
    own = RerankCompressor(reranker=reranker)
    return await own.acompress_documents([Document(page_content=text) for text in TEXTS], QUERY)
""",
    "llamaindex": """
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_rerank import RerankPostprocessor
def nodes():
    return [NodeWithScore(node=TextNode(text=text)) for text in TEXTS]
def first(reranker):
    return RerankPostprocessor(reranker=reranker).postprocess_nodes(nodes(), query_str=QUERY)
async def afirst(reranker):
    own = RerankPostprocessor(reranker=reranker)
    return await own.apostprocess_nodes(nodes(), query_str=QUERY)
""",
}

CODE = """
import asyncio, json, logging, sys, time
logging.disable()
QUERY, TEXTS = "what is the capital", ["paris is the capital of france"] * 9 + ["rome"]
llm, api, cohere, model, timeout, sync, warm = json.loads(sys.argv[1])
{wrapped}
from rerank_core import Reranker
import rerank_core.scorers as S
told = []
before = len(sys.modules)
began = time.perf_counter()
reranker = Reranker({scorer}, timeout=timeout, on_ranking=told.append)
made = time.perf_counter() - began
if warm:
    reranker.warm_up()
loaded = time.perf_counter() - began
start = time.perf_counter()
first(reranker) if sync else asyncio.run(afirst(reranker))
seconds = time.perf_counter() - start
report = told[0].report
print(json.dumps([made, loaded, seconds, report.coverage, list(report.reasons),
                  len(sys.modules) - before]))
sys.stdout.flush()
"""


@contextmanager
def servers() -> Iterator[list[str]]:
    """The addresses of the three APIs, on this machine."""
    from llm_prompts import read_prompt
    from loopback.judges import scoring
    from loopback.latency import Latency
    from loopback.openai_api import OpenAIAPI
    from loopback.rerank_api import RerankAPI
    from loopback.server import Server

    waiting = Latency(call=LATENCY)
    with (
        Server(OpenAIAPI(scoring(reader=read_prompt), reader=read_prompt, latency=waiting)) as llm,
        Server(RerankAPI("jina", latency=waiting)) as api,
        Server(RerankAPI("cohere", latency=waiting)) as cohere,
    ):
        yield [f"{llm.url}/v1", f"{api.url}/v1/rerank", cohere.url]


def main() -> NoReturn:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--timeout", type=float, default=1.0)
    asked.add_argument("--only", choices=SCORERS)
    asked.add_argument("--through", choices=WRAPPED)
    asked.add_argument("--face", choices=("sync", "async"))
    options = asked.parse_args()
    worst = 0.0
    print(
        "| scorer | through | face | cold, s | scored | modules | warm, s | scored | warm_up, s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, servers() as addresses:
        from models import add_onnx, tiny_cross_encoder

        model = str(tiny_cross_encoder(Path(folder)))
        add_onnx(Path(folder))
        for name, scorer in SCORERS.items():
            for through, wrapped in WRAPPED.items():
                for face in ("sync", "async"):
                    if (
                        options.only in (None, name)
                        and options.through in (None, through)
                        and options.face in (None, face)
                    ):
                        code = CODE.format(wrapped=wrapped, scorer=scorer)
                        given = [*addresses, model, options.timeout, face == "sync"]
                        cold, warm = (once(code, [*given, warmed]) for warmed in (False, True))
                        print(
                            f"| {name} | {through} | {face} | {cold[2]:.2f} | {told(cold)} | "
                            f"{cold[5]} | {warm[2]:.2f} | {told(warm)} | {warm[1]:.2f} |",
                            flush=True,
                        )
                        worst = max(worst, cold[2], warm[2])
    load = os.getloadavg()[0]
    print(f"\nworst: {worst:.2f} s; load {load:.1f} on {os.cpu_count()} cores")
    raise SystemExit(worst > options.timeout + GRACE)


def once(code: str, given: list[object]) -> list[object]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(PLACES), "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps(given)],
        capture_output=True,
        text=True,
        env=environment,
    )
    if ran.returncode:
        raise SystemExit(ran.stderr)
    found: list[object] = json.loads(ran.stdout.splitlines()[-1])
    return found


def told(found: list[object]) -> str:
    coverage, reasons = found[3], found[4]
    return " ".join([f"{coverage:.0%}", *reasons])  # type: ignore[misc]


if __name__ == "__main__":
    main()
