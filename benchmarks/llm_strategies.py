"""Every way to ask an LLM, beside its peers: calls, rounds, tokens, wall time and nDCG@10.

    python benchmarks/llm_strategies.py              all of it, some ten minutes
    python benchmarks/llm_strategies.py --wall       wall time beside the ideal, sync and async
    python benchmarks/llm_strategies.py --concurrency
    python benchmarks/llm_strategies.py --quality [--queries 43]

All of them ask the same server, in a process of its own on this machine, over the protocol of
OpenAI. Its model is fixed beforehand: it knows the order that a published reranker (GPT-3.5 by
RankGPT) gave the BM25 candidates of TREC DL 2019, and sees each document's rank in it off by
Gaussian noise of 0, 5 or 20 places, drawn anew for each call. Asked for an order it tells that
order; asked for grades it maps rank 1..100 evenly on the scale and rounds, so that about nine
documents share each grade. That grades mean the same in every call is the model's assumption:
no published order can tell how well a real LLM keeps to its scale from call to call.

The collection has ids and no texts, so each document is its id and 300 characters of filler.

Latency, of the time columns: 300 ms a call and 2 ms a document (`--wall`, `--concurrency`), or
400 ms to the first token, 0.02 ms per prompt token and 10 ms per reply token (`--quality`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from listwise_algorithms import ndcg, read_qrels, read_run

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RERANK_DATA", ROOT.parent / "shared" / "data")) / "trec-dl-2019"
RERANKER = "rerank-gpt35turbo-rankgpt-bm25top100.trec"
DEPTH = 100

PLAIN = {"call": 0.3, "document": 0.002}
SPOKEN = {"first_token": 0.4, "input_token": 0.00002, "output_token": 0.01}

# -- the server --------------------------------------------------------------------------------

_TAG = re.compile(r"\bpassage-(\d+)")
_QUERY = re.compile(r"\bquery-(\d+)")
WORDS = [
    "the",
    "of",
    "a",
    "river",
    "in",
    "its",
    "stone",
    "under",
    "light",
    "years",
    "that",
    "would",
]


def text_for(document: str) -> str:
    """A document: its id, and filler that is its own."""
    source = random.Random(document)
    return f"passage-{document} " + " ".join(source.choices(WORDS, k=60))


class PublishedOrder:
    """The model behind the server, whichever prompt it is asked in."""

    def __init__(self, places: Mapping[str, Mapping[str, int]], noise: float) -> None:
        self.places, self.noise = places, noise

    def __call__(self, messages: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> str:
        from loopback.judges import text_of

        prompt = text_of(messages)
        named = _QUERY.search(prompt)
        assert named is not None
        documents = _TAG.findall(prompt)
        known = self.places.get(named[1], {})
        chance = random.Random(f"{self.noise}/{named[1]}/{documents}")
        seen = [
            known.get(document, int(document) % DEPTH) + chance.gauss(0, self.noise)
            for document in documents
        ]
        order = sorted(range(len(seen)), key=seen.__getitem__)
        return self._said(prompt, order, [max(0.0, 1 - place / DEPTH) for place in seen], body)

    def _said(
        self, prompt: str, order: list[int], scores: list[float], body: Mapping[str, Any]
    ) -> str:
        if "Answer with one whole number" in prompt:
            return str(round(10 * min(1.0, scores[0])))
        if "Grade all" in prompt:
            grades = {place + 1: round(10 * min(1.0, score)) for place, score in enumerate(scores)}
            return json.dumps(grades, separators=(",", ":"))
        if "Order all" in prompt:
            return json.dumps({"order": [place + 1 for place in order]}, separators=(",", ":"))
        if "RankDocuments" in json.dumps(body.get("response_format") or ""):
            return json.dumps({"ranked_document_ids": order})
        if "Relevance:" in prompt or "relevance score" in prompt:
            return "\n".join(
                f"Doc: {place + 1}, Relevance: {round(10 * min(1.0, scores[place]))}"
                for place in order
            )
        return " > ".join(f"[{place + 1}]" for place in order)


def serve(noise: float, latency: Mapping[str, Any]) -> None:
    """Answer until standard input ends."""
    sys.path.insert(0, str(ROOT / "tests"))
    from loopback import Latency, OpenAIAPI, Prompt, Server

    def reader(prompt: str) -> Prompt:
        return Prompt("", [(tag, "") for tag in _TAG.findall(prompt)])

    places: dict[str, dict[str, int]] = {}
    if DATA.is_dir():
        for query, ranked in read_run(DATA / RERANKER).items():
            places[query] = {document: place for place, document in enumerate(ranked)}
    waiting = Latency(**latency) if latency else None
    api = OpenAIAPI(PublishedOrder(places, noise), latency=waiting, reader=reader)
    with Server(api) as server:
        print(server.url, flush=True)
        for line in sys.stdin:  # each line asks how many requests have come, and forgets them
            print(len(server.requests), flush=True)
            server.clear()
            del line


class Remote:
    """The server's process, and what it has counted."""

    def __init__(self, noise: float, latency: Mapping[str, float]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(noise), json.dumps(latency)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip() + "/v1"

    def requests(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def server(noise: float = 0.0, latency: Mapping[str, float] = PLAIN) -> Any:
    remote = Remote(noise, latency)
    try:
        yield remote
    finally:
        remote.stop()


# -- those that are asked -----------------------------------------------------------------------

#: Takes a query and texts, and returns positions best first.
Ask = Callable[[str, Sequence[str]], "list[int] | Awaitable[list[int]]"]

OURS: dict[str, dict[str, Any]] = {
    "pointwise": {"strategy": "pointwise"},
    "batch of 5": {"group_size": 5},
    "batch of 10": {"group_size": 10},
    "batch of 20": {"group_size": 20},
    "batch of 20, 2 passes": {"group_size": 20, "passes": 2},
    "top-down 20": {"strategy": "listwise", "algorithm": "top-down"},
    "blocks 20": {"strategy": "listwise", "algorithm": "blocks"},
    "blocks 20, refined": {
        "strategy": "listwise",
        "algorithm": "blocks",
        "algorithm_options": {"refine": True},
    },
    "sliding window 20/10": {"strategy": "listwise", "algorithm": "sliding-window"},
}


def reranker(url: str, options: Mapping[str, Any], **more: Any) -> Any:
    from rerank_core import Reranker
    from rerank_core.scorers import LLMScorer

    scorer = LLMScorer(model="gpt-4o-mini", base_url=url, api_key="any", **options)
    made = Reranker(scorer, top_n=None, timeout=None, **more)
    made.warm_up()
    return made


def peers(url: str) -> dict[str, Ask]:
    """Those that are installed, set up as their documentation does."""
    made: dict[str, Ask] = {}
    logging.disable(logging.CRITICAL)
    os.environ |= {"OPENAI_API_KEY": "any", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    try:
        made |= _llama_index(url)
    except ImportError as error:
        print(f"LlamaIndex is left out: {error}", file=sys.stderr)
    try:
        made |= _langchain(url)
    except ImportError as error:
        print(f"LangChain is left out: {error}", file=sys.stderr)
    try:
        made |= _rerankers(url)
    except ImportError as error:
        print(f"rerankers is left out: {error}", file=sys.stderr)
    return made


def _llama_index(url: str) -> dict[str, Ask]:
    from llama_index.core import QueryBundle
    from llama_index.core.postprocessor import LLMRerank
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.llms.openai import OpenAI
    from llama_index.postprocessor.rankgpt_rerank import RankGPTRerank

    def nodes(texts: Sequence[str]) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text=t, id_=str(i))) for i, t in enumerate(texts)]

    def llm() -> Any:
        return OpenAI(model="gpt-4o-mini", api_base=url, api_key="any", max_retries=0)

    def plain(make: Callable[[], Any]) -> Ask:
        def ask(query: str, texts: Sequence[str]) -> list[int]:
            found = make().postprocess_nodes(nodes(texts), QueryBundle(query))
            return [int(node.node.node_id) for node in found]

        return ask

    async def awaited(query: str, texts: Sequence[str]) -> list[int]:
        one = LLMRerank(llm=llm(), top_n=len(texts))
        found = await one.apostprocess_nodes(nodes(texts), QueryBundle(query))
        return [int(node.node.node_id) for node in found]

    shared = llm()
    return {
        "LlamaIndex LLMRerank, sync": plain(lambda: LLMRerank(llm=shared, top_n=1000)),
        "LlamaIndex LLMRerank, async": awaited,
        "LlamaIndex RankGPTRerank": plain(lambda: RankGPTRerank(llm=shared, top_n=1000)),
    }


def _langchain(url: str) -> dict[str, Ask]:
    from langchain_classic.retrievers.document_compressors.listwise_rerank import LLMListwiseRerank
    from langchain_core.documents import Document
    from langchain_openai import ChatOpenAI

    llm = ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="any", max_retries=0)  # type: ignore[arg-type]
    one = LLMListwiseRerank.from_llm(llm, top_n=1000)

    def ask(query: str, texts: Sequence[str]) -> list[int]:
        documents = [Document(text, metadata={"at": at}) for at, text in enumerate(texts)]
        return [document.metadata["at"] for document in one.compress_documents(documents, query)]

    return {"LangChain LLMListwiseRerank": ask}


def _rerankers(url: str) -> dict[str, Ask]:
    import litellm
    from rerankers import Reranker

    litellm.api_base = url
    one = Reranker("openai/gpt-4o-mini", model_type="rankgpt", api_key="any", verbose=0)
    if one is None:
        raise ImportError("it made no reranker")

    def ask(query: str, texts: Sequence[str]) -> list[int]:
        # left to its default, rank_end=0, it shows the model nothing and keeps the order given
        ids = list(range(len(texts)))
        found = one.rank(query, list(texts), doc_ids=ids, rank_end=len(texts))
        return [int(result.document.doc_id) for result in found.results]

    return {"rerankers RankGPT": ask}


# -- tables -------------------------------------------------------------------------------------


def candidates(count: int) -> tuple[str, list[str]]:
    return "query-0 what lies under the stone", [text_for(str(n)) for n in range(count)]


def ideal(name: str, report: Any, count: int) -> float:
    """Sequential rounds by the time of a call, the largest group's of each round."""
    size = min(count, 1 if name == "pointwise" else int(re.findall(r"\d+", name)[0]))
    return float(report.rounds * (PLAIN["call"] + PLAIN["document"] * size))


def wall(rounds: int = 7) -> None:
    """100 passages; medians, and the ratio to sequential rounds x call time."""
    query, texts = candidates(100)
    print("\n100 passages, 300 ms a call + 2 ms a document: median seconds (x ideal)")
    print(f"{'':30}{'ideal':>7}{'sync':>16}{'async':>16}{'calls':>7}{'rounds':>7}")
    with server() as remote:
        for name, options in OURS.items():
            made = reranker(remote.url, options)
            report = made.rank(query, texts).report
            best = ideal(name, report, 100)
            sync = [_timed(partial(made.rank, query, texts)) for _ in range(rounds)]
            native = asyncio.run(_atimed(made, query, texts, rounds))
            made.close()
            cells = "".join(
                f"{statistics.median(t):9.3f} ({statistics.median(t) / best:.2f})"
                for t in (sync, native)
            )
            print(f"{name:30}{best:7.3f}{cells}{report.calls:7}{report.rounds:7}")
        for name, ask in peers(remote.url).items():
            try:
                _asked(ask, query, texts)
                remote.requests()
                times = [_timed(partial(_asked, ask, query, texts)) for _ in range(3)]
            except Exception as error:
                print(f"{name:30} raised {type(error).__name__}: {error!s:.60}")
                continue
            calls = remote.requests() // 3
            print(f"{name:30}{'':7}{statistics.median(times):9.3f}{'':23}{calls:7}")


def concurrency(rounds: int = 3) -> None:
    """What one limit is worth against another, for one ranking and for four at once."""
    query, texts = candidates(100)
    print("\nmedian seconds of 100 passages by max_concurrency, 300 ms a call + 2 ms a document")
    widths = (4, 8, 16, 32)
    print(f"{'':30}" + "".join(f"{width:>9}" for width in widths))
    with server() as remote:
        for name in ("batch of 10", "batch of 20", "top-down 20", "blocks 20", "pointwise"):
            for at_once in (1, 4):
                cells = []
                for width in widths:
                    if name == "pointwise" and at_once * 100 > width * 25:  # minutes, of waiting
                        cells.append("        –")
                        continue
                    made = reranker(remote.url, OURS[name], max_concurrency=width)

                    async def ask(made: Any = made, at_once: int = at_once) -> None:
                        await asyncio.gather(*(made.arank(query, texts) for _ in range(at_once)))

                    asyncio.run(ask())
                    times = [_timed(lambda: asyncio.run(ask())) for _ in range(rounds)]
                    cells.append(f"{statistics.median(times):9.2f}")
                    made.close()
                label = name if at_once == 1 else f"{name}, four rankings at once"
                print(f"{label:30}" + "".join(cells), flush=True)


def quality(limit: int) -> None:
    """nDCG@10 at three levels of noise; calls, rounds, tokens and time at the first."""
    bm25, qrels = read_run(DATA / "bm25-top100.trec"), read_qrels(DATA / "qrels.txt")
    queries = sorted(bm25.keys() & qrels.keys())[:limit]
    levels = (0, 5, 20)
    for count in (20, 50, 100):
        found = statistics.fmean(ndcg(bm25[query][:count], qrels[query]) for query in queries)
        print(f"\n{count} candidates, {len(queries)} queries; the retriever's nDCG@10: {found:.3f}")
        _heading()
        scores: dict[str, list[float]] = {}
        for noise in levels:
            with server(noise, {}) as remote:
                for name, ask in _everybody(remote.url).items():
                    values = []
                    for query in queries:
                        documents = bm25[query][:count]
                        try:
                            order = _asked(ask, f"query-{query}", [text_for(d) for d in documents])
                        except Exception:
                            order = []  # an error is no ranking
                        values.append(ndcg([documents[p] for p in order], qrels[query]))
                    scores.setdefault(name, []).append(statistics.fmean(values))
        _costs(count, scores)


def many() -> None:
    """1,000 candidates: times and calls only."""
    print("\n1,000 candidates: times and calls only")
    _heading()
    _costs(1000, {})


def _heading() -> None:
    print(f"{'':30}{'calls':>6}{'rounds':>7}{'prompt':>8}{'reply':>7}{'s':>7}   nDCG@10 by noise")


def _costs(count: int, scores: Mapping[str, Sequence[float]]) -> None:
    query, texts = candidates(count)
    with server(0, SPOKEN) as remote:
        for name, options in OURS.items():
            made = reranker(remote.url, options)
            made.rank(query, texts[:20])
            report = made.rank(query, texts).report
            made.close()
            print(
                f"{name:30}{report.calls:6}{report.rounds:7}{report.prompt_tokens:8}"
                f"{report.completion_tokens:7}{report.seconds:7.2f}   {_cells(scores, name)}",
                flush=True,
            )
        for name, ask in peers(remote.url).items():
            remote.requests()
            started = time.perf_counter()
            try:
                _asked(ask, query, texts)
                took = f"{time.perf_counter() - started:7.2f}"
            except Exception as error:
                took = f" {type(error).__name__[:6]}"
            print(f"{name:30}{remote.requests():6}{'':22}{took}   {_cells(scores, name)}")


def _cells(scores: Mapping[str, Sequence[float]], name: str) -> str:
    return "  ".join(f"{score:.3f}" for score in scores.get(name, ()))


def _everybody(url: str) -> dict[str, Ask]:
    made: dict[str, Ask] = {}
    for name, options in OURS.items():
        one = reranker(url, options)

        def ask(query: str, texts: Sequence[str], one: Any = one) -> list[int]:
            return [hit.index for hit in one.rank(query, texts).all]

        made[name] = ask
    return made | peers(url)


def _asked(ask: Ask, query: str, texts: Sequence[str]) -> list[int]:
    found = ask(query, texts)
    return found if isinstance(found, list) else asyncio.run(_await(found))


async def _await(found: Awaitable[list[int]]) -> list[int]:
    return await found


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


async def _atimed(made: Any, query: str, texts: Sequence[str], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        await made.arank(query, texts)
        times.append(time.perf_counter() - started)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    for name in ("wall", "concurrency", "quality", "many"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--serve", nargs=2, metavar=("NOISE", "LATENCY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(float(given.serve[0]), json.loads(given.serve[1]))
        return
    everything = not (given.wall or given.concurrency or given.quality or given.many)
    if given.wall or everything:
        wall()
    if given.concurrency or everything:
        concurrency()
    if given.quality or everything:
        if DATA.is_dir():
            quality(given.queries)
        else:
            print(f"no test collections at {DATA.parent}: nDCG@10 is left out", file=sys.stderr)
    if given.many or everything:
        many()


if __name__ == "__main__":
    main()
