"""Requests read and answers written, in the shapes of Cohere (v1, v2), Jina and TEI. Pure.

Sources: https://docs.cohere.com/v2/reference/rerank, https://docs.cohere.com/v1/reference/rerank,
https://api.jina.ai/docs (`/v1/rerank`), https://huggingface.github.io/text-embeddings-inference/,
2026-11. Fields that nobody here knows are let be, and a null is a field left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import uuid4

from ..ranking.candidate import RAW
from ..ranking.ranking import RankedCandidate, Ranking
from .refusal import Refusal, Shape, invalid

#: Of a document that is an object, where its text is unless `rank_fields` says.
_TEXT = ("text", "content", "page_content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, read. `documents` are what a `Reranker` takes; `given`, as they were sent."""

    shape: Shape
    query: str
    documents: Sequence[Any]
    given: Sequence[Any]
    model: str | None = None
    top_n: int | None = None
    return_documents: bool = False
    raw_scores: bool = False
    return_report: bool = False
    warnings: tuple[str, ...] = ()


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises `Refusal`."""
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise Refusal(400, f"the body is not JSON: {why[:200]}") from None
    if not isinstance(found, dict):
        raise Refusal(400, "the body is JSON, and no object: send {…}")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def shape_of(path: str) -> Shape | None:
    """Whose request it is, where the path alone says so."""
    return {"/v2/rerank": Shape.V2, "/v1/rerank": Shape.V1}.get(path)


def shape_in(body: Mapping[str, Any]) -> Shape:
    """Whose request it is at `/rerank`: TEI's by its `texts`, else as Jina's."""
    return Shape.TEI if "texts" in body else Shape.V1


def read(shape: Shape, body: Mapping[str, Any], *, most: int) -> Asked:
    """What is asked, at most so many documents. Raises `Refusal`, naming the field."""
    fields = _Fields(shape, {name: value for name, value in body.items() if value is not None})
    named = "texts" if shape is Shape.TEI else "documents"
    query = fields.text("query", required=True)
    if not query.strip():
        raise invalid(shape, "query is empty")
    given = fields.values.get(named)
    if not isinstance(given, list):
        raise invalid(shape, f"{named} is a list, and is needed")
    if not given:
        raise invalid(shape, f"{named} is empty")
    if len(given) > most:
        raise Refusal(413, f"{len(given)} {named} are too many: at most {most} documents a request")
    asked: dict[str, Any] = {
        "query": query,
        "model": fields.text("model") or None,
        "given": given,
        "return_report": fields.flag("return_report"),
    }
    if shape is Shape.TEI:
        documents = [
            text if isinstance(text, str) else _no_text(shape, at, named)
            for at, text in enumerate(given)
        ]
        return Asked(
            shape=shape,
            documents=documents,
            return_documents=fields.flag("return_text"),
            raw_scores=fields.flag("raw_scores"),
            **asked,
        )
    rank_fields = fields.names("rank_fields")
    ignored = [
        name
        for name in ("max_tokens_per_doc", "max_chunks_per_doc", "truncate_prompt_tokens")
        if fields.whole(name) is not None
    ]
    return Asked(
        shape=shape,
        documents=[_document(shape, at, one, rank_fields) for at, one in enumerate(given)],
        top_n=fields.whole("top_n") or None,  # 0 is all, as vLLM has it
        return_documents=fields.flag("return_documents"),
        warnings=tuple(f"{name} is not applied: the model has its own limit" for name in ignored),
        **asked,
    )


class _Fields:
    """The fields of a request that are not null, each read as what it should be."""

    def __init__(self, shape: Shape, values: Mapping[str, Any]) -> None:
        self.shape, self.values = shape, values

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.values.get(name)
        if isinstance(value, Mapping) and isinstance(value.get("text"), str):
            value = value["text"]  # as Jina's multimodal models have it
        if value is None and not required:
            return ""
        if not isinstance(value, str):
            raise invalid(self.shape, f"{name} is a string" + (", and is needed" * required))
        return value

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise invalid(self.shape, f"{name} is true or false")
        return value

    def whole(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            # -1 is vLLM's word for the model's own limit
            if name == "truncate_prompt_tokens" and value == -1:
                return None
            raise invalid(self.shape, f"{name} is a whole number, 0 or more")
        return value

    def names(self, name: str) -> Sequence[str]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid(self.shape, f"{name} is a list of strings")
        return value


def _document(shape: Shape, at: int, document: Any, rank_fields: Sequence[str]) -> Any:
    """As a `Reranker` takes it: a string, or an object whose text is where it should be."""
    if isinstance(document, str):
        return document
    if not isinstance(document, Mapping):
        _no_text(shape, at, "documents")
    if rank_fields:
        parts = [str(document[name]) for name in rank_fields if document.get(name) is not None]
        if not parts:
            fields = ", ".join(rank_fields)[:200]
            raise invalid(shape, f"documents[{at}] has none of the rank_fields {fields}")
        return {**document, "text": "\n".join(parts)}
    if not any(isinstance(document.get(name), str) for name in _TEXT):
        _no_text(shape, at, "documents")
    return document


def _no_text(shape: Shape, at: int, named: str) -> NoReturn:
    raise invalid(
        shape,
        f"{named}[{at}] is no string"
        + ("" if shape is Shape.TEI else ' and no object with a string under "text"'),
    )


def answer(asked: Asked, ranking: Ranking, model: str) -> dict[str, Any] | list[Any]:
    """The ranking as the client reads it: a number for every hit, best first.

    A hit that could not be scored has the estimate that it stands by, and says so where there is
    room: `"estimated": true`. Raises `Refusal` where raw scores are asked for and there are none.
    """
    if asked.shape is Shape.TEI:
        return _tei(asked, ranking)
    results: list[dict[str, Any]] = []
    for hit in ranking:
        result: dict[str, Any] = {"index": hit.index, "relevance_score": _number(hit)}
        if asked.return_documents:
            given = asked.given[hit.index]
            result["document"] = {"text": given} if isinstance(given, str) else given
        if not hit.scored:
            result["estimated"] = True
        results.append(result)
    report = ranking.report
    meta: dict[str, Any] = {"api_version": {"version": "2" if asked.shape is Shape.V2 else "1"}}
    if report.search_units:
        meta["billed_units"] = {"search_units": report.search_units}
    if report.prompt_tokens:
        meta["tokens"] = {"input_tokens": report.prompt_tokens}
    if asked.warnings:
        meta["warnings"] = list(asked.warnings)
    body: dict[str, Any] = {"id": str(uuid4()), "results": results, "meta": meta}
    if asked.shape is Shape.V1:
        spent = report.prompt_tokens + report.completion_tokens
        usage = {"total_tokens": spent, "prompt_tokens": report.prompt_tokens}
        body |= {"object": "list", "model": model, "usage": usage}
    if asked.return_report:
        body["report"] = report.to_dict()
    return body


def _tei(asked: Asked, ranking: Ranking) -> list[dict[str, Any]]:
    results = []
    for hit in ranking:
        score = _raw(hit) if asked.raw_scores else _number(hit)
        result: dict[str, Any] = {"index": hit.index, "score": score}
        if asked.return_documents:
            result["text"] = hit.text
        results.append(result)
    return results


def _number(hit: RankedCandidate) -> float:
    return hit.score if hit.score is not None else (hit.estimate or 0.0)


def _raw(hit: RankedCandidate) -> float:
    """What the model said before it was mapped. Raises `Refusal`."""
    raw = [value for name, value in hit.components.items() if name.endswith(RAW)]
    if len(raw) != 1 or raw[0] is None:
        raise invalid(Shape.TEI, "raw_scores: this model has no raw score of every text")
    return raw[0]


def as_json(body: object) -> bytes:
    """The body as it is sent; a lone surrogate in an echoed document as its escape."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()
