"""The rerank APIs, each as its server answers, scored by plain word overlap.

The rows of `DIALECTS` are written from the vendors' references (2026-11): what the server takes,
what it refuses, and the shape of its answers and errors.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loopback.latency import Latency
from loopback.messages import Request, Response
from loopback.relevance import overlap

Result = dict[str, Any]


@dataclass(frozen=True)
class Dialect:
    """What one server takes and gives."""

    name: str
    paths: tuple[str, ...]
    #: The field with the documents, and whether each is `{"text": …}` rather than a string.
    documents: str = "documents"
    objects: bool = False
    #: The field that asks for the best few.
    top: str | None = "top_n"
    #: The field with the results (None: the reply is the bare list), and the one with the score.
    results: str | None = "results"
    score: str = "relevance_score"
    needs_model: bool = True
    #: Other fields it takes; anything else, or a null, is refused.
    takes: tuple[str, ...] = ()
    #: At most so many documents, and the status that more of them get.
    cap: int | None = None
    cap_status: int = 400
    #: The header with the key.
    key_header: str = "authorization"
    #: The answer's fields beside the results.
    beside: Callable[[str, int], Mapping[str, Any]] = field(default=lambda model, tokens: {})
    #: The shape of an error.
    wrong: Callable[[int, str], object] = field(default=lambda status, text: {"message": text})
    #: Whether its scores are logits rather than 0..1.
    logits: bool = False


def _cohere(model: str, tokens: int) -> Mapping[str, Any]:
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return {"id": "8bc39a4b-5f80-4b5d-9d0c-3c2e8c7c6a11", "meta": meta}


def _openai_error(status: int, text: str) -> object:
    return {"error": {"message": text, "type": "BadRequestError", "param": None, "code": status}}


_ROWS = [
    Dialect(
        "cohere",
        ("/v2/rerank",),
        takes=("max_tokens_per_doc", "priority"),
        cap=10_000,
        beside=_cohere,
    ),
    Dialect(
        "jina",
        ("/v1/rerank",),
        takes=("return_documents", "truncate"),
        beside=lambda model, tokens: {"model": model, "usage": {"total_tokens": tokens}},
        wrong=lambda status, text: {"detail": text},
    ),
    Dialect(
        "vllm",
        ("/rerank", "/v1/rerank", "/v2/rerank"),
        takes=("truncate_prompt_tokens", "max_tokens_per_doc"),
        beside=lambda model, tokens: {
            "id": "rerank-1",
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        },
        wrong=_openai_error,
    ),
    Dialect(
        "tei",
        ("/rerank",),
        documents="texts",
        top=None,
        results=None,
        score="score",
        needs_model=False,
        takes=("raw_scores", "return_text", "truncate", "truncation_direction"),
        cap=32,
        cap_status=413,
        wrong=lambda status, text: {"error": text, "error_type": "Validation"},
    ),
    Dialect(
        "infinity",
        ("/rerank", "/v1/rerank"),
        takes=("return_documents", "raw_scores"),
        cap=2048,
        cap_status=422,
        beside=lambda model, tokens: {
            "object": "rerank",
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            "id": "infinity-1",
            "created": 1721172741,
        },
        wrong=lambda status, text: {"detail": [{"msg": text, "type": "value_error"}]},
    ),
    Dialect(
        "llamacpp",
        ("/rerank", "/v1/rerank"),
        needs_model=False,
        beside=lambda model, tokens: {
            "model": model,
            "object": "list",
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        },
        wrong=_openai_error,
        logits=True,
    ),
    Dialect(
        "litellm",
        ("/rerank", "/v1/rerank", "/v2/rerank"),
        takes=("max_tokens_per_doc", "return_documents", "max_chunks_per_doc", "rank_fields"),
        beside=_cohere,
        wrong=_openai_error,
    ),
    Dialect(
        "voyage",
        ("/v1/rerank",),
        top="top_k",
        results="data",
        takes=("return_documents", "truncation"),
        cap=1000,
        beside=lambda model, tokens: {
            "object": "list",
            "model": model,
            "usage": {"total_tokens": tokens},
        },
        wrong=lambda status, text: {"detail": text},
    ),
    Dialect(
        "mixedbread",
        ("/v1/reranking",),
        documents="input",
        top="top_k",
        results="data",
        score="score",
        takes=("return_input", "rank_fields"),
        beside=lambda model, tokens: {
            "object": "list",
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            "return_input": False,
        },
        wrong=lambda status, text: {"message": text},
    ),
    Dialect(
        "together",
        ("/v1/rerank",),
        takes=("return_documents", "rank_fields"),
        beside=lambda model, tokens: {
            "object": "rerank",
            "id": "9dfa1a09-ebfc",
            "model": model,
            "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
        },
        wrong=_openai_error,
    ),
    Dialect(
        "pinecone",
        ("/rerank",),
        objects=True,
        results="data",
        score="score",
        takes=("return_documents", "rank_fields", "parameters"),
        cap=100,
        key_header="api-key",
        beside=lambda model, tokens: {"model": model, "usage": {"rerank_units": 1}},
        wrong=lambda status, text: {
            "error": {"code": "INVALID_ARGUMENT", "message": text},
            "status": status,
        },
    ),
]

#: By name.
DIALECTS: Mapping[str, Dialect] = {row.name: row for row in _ROWS}


def _last_index(value: Callable[[int], object]) -> Callable[[list[Result]], list[Result]]:
    """The last result gets that index (of the number of results)."""
    return lambda results: [*results[:-1], {**results[-1], "index": value(len(results))}]


def _score(value: object) -> Callable[[list[Result]], list[Result]]:
    """The last result gets that score."""

    def change(results: list[Result]) -> list[Result]:
        name = "score" if "score" in results[-1] else "relevance_score"
        return [*results[:-1], {**results[-1], name: value}]

    return change


#: What a server may do to its results (sorted, best first), by name.
MISCHIEF: Mapping[str, Callable[[list[Result]], list[Result]]] = {
    "unsorted": lambda results: sorted(results, key=lambda result: result["index"] * 7 % 5),
    "out-of-range": _last_index(lambda count: count + 3),
    "negative": _last_index(lambda count: -1),
    "string-index": _last_index(str),
    "fraction-index": _last_index(lambda count: 0.5),
    "boolean-index": _last_index(lambda count: True),
    "null-index": _last_index(lambda count: None),
    "repeated": lambda results: [*results, {**results[0], **_worst(results)}],
    "missing": lambda results: results[:-1],
    "none-at-all": lambda results: [],
    "null-score": _score(None),
    "string-score": _score("high"),
    "infinite-score": _score(math.inf),
    "nan-score": _score(math.nan),
    "not-objects": lambda results: [*results[:-1], "surprise"],  # type: ignore[list-item]
}


def _worst(results: list[Result]) -> Result:
    return {name: value for name, value in results[-1].items() if "score" in name}


class RerankAPI:
    """Answers rerank requests in one dialect.

    `mischief` (a name of `MISCHIEF`) spoils the results; `api_key` is the only key it takes
    (None: any); `score` takes query and text and says 0..1. Tokens count four characters each.
    """

    def __init__(
        self,
        dialect: str | Dialect = "cohere",
        *,
        score: Callable[[str, str], float] = overlap,
        mischief: str | None = None,
        latency: Latency | None = None,
        api_key: str | None = None,
    ) -> None:
        self.dialect = DIALECTS[dialect] if isinstance(dialect, str) else dialect
        self.score = score
        self.mischief = mischief
        self.latency = latency
        self.api_key = api_key
        #: The packages that it is asked with.
        self.clients = ("cohere",) if dialect == "cohere" else ("httpx",)

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        """An error as this server shapes it."""
        return Response.of(self.dialect.wrong(status, message), status)

    async def answer(self, request: Request) -> Response:
        """The reply to a request."""
        row = self.dialect
        if self.api_key is not None:
            sent = request.headers.get(row.key_header, "")
            if sent.removeprefix("Bearer ").removeprefix("bearer ") != self.api_key:
                return self.error(401, "invalid api key")
        if request.method != "POST" or request.path.partition("?")[0] not in row.paths:
            return self.error(404, f"no such route: {request.path}")
        body = request.json
        if not isinstance(body, dict):
            return self.error(400, "the body is not a JSON object")
        if problem := self._problem(body):
            return self.error(422, problem)
        query = body["query"]
        texts = [item["text"] if row.objects else item for item in body[row.documents]]
        if row.cap is not None and len(texts) > row.cap:
            return self.error(row.cap_status, f"batch size {len(texts)} > maximum {row.cap}")
        if self.latency is not None:
            await asyncio.sleep(self.latency.seconds(request.number, len(texts)))
        raw = row.logits or bool(body.get("raw_scores"))
        results = [
            {"index": index, row.score: self._scored(query, text, raw)}
            for index, text in enumerate(texts)
        ]
        results.sort(key=lambda result: -result[row.score])
        top = body.get(row.top) if row.top else None
        results = results[: top or len(results)]
        if self.mischief is not None and results:
            results = MISCHIEF[self.mischief](results)
        if row.results is None:
            return Response.of(results)
        tokens = sum(len(query) // 4 + len(text) // 4 for text in texts)
        model = body.get("model") or "reranker"
        return Response.of({row.results: results, **row.beside(model, tokens)})

    def _problem(self, body: Mapping[str, Any]) -> str | None:
        row = self.dialect
        known = {"query", "model", row.documents, *row.takes} | ({row.top} if row.top else set())
        if unknown := set(body) - known:
            return f"unexpected fields: {sorted(unknown)}"
        if nulls := sorted(name for name, value in body.items() if value is None):
            return f"must not be null: {nulls}"
        if not isinstance(body.get("query"), str) or not body["query"]:
            return "query is required"
        if row.needs_model and not isinstance(body.get("model"), str):
            return "model is required"
        documents = body.get(row.documents)
        if not isinstance(documents, list) or not documents:
            return f"{row.documents} is required"
        if row.objects:
            whole = all(isinstance(item, dict) and "text" in item for item in documents)
        else:
            whole = all(isinstance(item, str) for item in documents)
        return None if whole else f"{row.documents} has the wrong shape"

    def _scored(self, query: str, text: str, raw: bool) -> float:
        score = self.score(query, text)
        if not raw:
            return score
        inside = min(max(score, 1e-6), 1 - 1e-6)
        return math.log(inside / (1 - inside))
