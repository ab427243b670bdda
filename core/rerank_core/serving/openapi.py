"""The OpenAPI document: what may be asked, written by hand beside the code that reads it."""

from __future__ import annotations

from typing import Any

from .. import __version__
from .limits import Limits

_TEXT = {"type": "string"}
_COUNT = {"type": ["integer", "null"], "minimum": 0}
_FLAG = {"type": ["boolean", "null"]}


def document(limits: Limits, *, keyed: bool) -> dict[str, Any]:
    """OpenAPI 3.1, for these limits."""
    paths = {
        "/v2/rerank": _rerank("Cohere's v2 API", "Rerank", "Ranking"),
        "/v1/rerank": _rerank("Cohere's v1 API, and Jina's", "Rerank", "Ranking"),
        "/rerank": _rerank(
            "TEI's, by `texts`; with `documents` as Jina's", "Either", "EitherAnswer"
        ),
        "/health": _plain("The process answers"),
        "/ready": _plain("Every model is loaded", {"503": _said("One is not loaded yet")}),
        "/info": _plain("What TEI tells of itself", _refusals(401, 400)),
        "/v1/models": _plain("The names of the models", _refusals(401)),
        "/metrics": _plain("For Prometheus", _refusals(401), kind="text/plain"),
        "/openapi.json": _plain("This document"),
        "/": _plain("A page to try it on", kind="text/html"),
    }
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "rerank serve", "version": __version__},
        "paths": paths,
        "components": {"schemas": _schemas(limits)},
    }
    if keyed:
        whole["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path in ("/v2/rerank", "/v1/rerank", "/rerank", "/info", "/v1/models", "/metrics"):
            for operation in paths[path].values():
                operation["security"] = [{"key": []}]
    return whole


def _rerank(about: str, asked: str, answered: str) -> dict[str, Any]:
    report = {
        "description": "JSON: model, coverage, degraded, reasons, cost, cache_hits, ms",
        "schema": _TEXT,
    }
    timeout = {
        "name": "X-Rerank-Timeout",
        "in": "header",
        "description": "Seconds for this ranking; no more than the server gives",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
    }
    done = {
        "description": "The ranking, best first",
        "headers": {"X-Rerank-Report": report},
        "content": {
            "application/json": {"schema": _ref(answered)},
            "text/html": {"schema": _TEXT},
        },
    }
    return {
        "post": {
            "summary": about,
            "parameters": [timeout],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref(asked)}},
            },
            "responses": {
                "200": done,
                **_refusals(400, 401, 404, 408, 413, 415, 422, 429, 502, 503),
            },
        }
    }


def _plain(
    about: str, others: dict[str, Any] | None = None, kind: str = "application/json"
) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"} if kind == "application/json" else _TEXT
    done = {"description": about, "content": {kind: {"schema": schema}}}
    return {"get": {"summary": about, "responses": {"200": done, **(others or {})}}}


_WHY = {
    400: "It cannot be right",
    401: "No key, or a wrong one",
    404: "No such model",
    408: "The request took too long to arrive",
    413: "Too many documents, or too many bytes",
    415: "No JSON, or compressed",
    422: "It cannot be right, as TEI says it",
    429: "Past its capacity; Retry-After says when to come again",
    502: "The service behind the model failed",
    503: "Degraded, where that is configured to be an error",
}


def _refusals(*statuses: int) -> dict[str, Any]:
    return {str(status): _said(_WHY[status]) for status in statuses}


def _said(why: str) -> dict[str, Any]:
    return {"description": why, "content": {"application/json": {"schema": {"type": "object"}}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(limits: Limits) -> dict[str, Any]:
    query = {"type": "string", "minLength": 1, "pattern": "\\S"}
    model = {"type": ["string", "null"], "description": "May be left out where one is served"}
    documents = {
        "type": "array",
        "minItems": 1,
        "maxItems": limits.max_documents,
        "items": {
            "oneOf": [
                _TEXT,
                {"type": "object", "required": ["text"], "properties": {"text": _TEXT}},
            ]
        },
    }
    hit = {
        "type": "object",
        "required": ["index", "relevance_score"],
        "properties": {
            "index": {"type": "integer"},
            "relevance_score": {"type": "number"},
            "document": {"type": "object"},
            "estimated": {"type": "boolean", "description": "Not scored; placed by an estimate"},
        },
    }
    text_hit = {
        "type": "object",
        "required": ["index", "score"],
        "properties": {"index": {"type": "integer"}, "score": {"type": "number"}, "text": _TEXT},
    }
    return {
        "Rerank": {
            "type": "object",
            "required": ["query", "documents"],
            "properties": {
                "query": query,
                "documents": documents,
                "model": model,
                "top_n": _COUNT,
                "return_documents": _FLAG,
                "rank_fields": {"type": ["array", "null"], "items": _TEXT},
                "max_tokens_per_doc": _COUNT,
                "return_report": _FLAG,
            },
        },
        "Texts": {
            "type": "object",
            "required": ["query", "texts"],
            "properties": {
                "query": query,
                "texts": {**documents, "items": _TEXT},
                "return_text": _FLAG,
                "raw_scores": _FLAG,
                "truncate": _FLAG,
            },
        },
        "Either": {"anyOf": [_ref("Rerank"), _ref("Texts")]},
        "Ranking": {
            "type": "object",
            "required": ["id", "results", "meta"],
            "properties": {
                "id": _TEXT,
                "results": {"type": "array", "items": hit},
                "meta": {"type": "object"},
                "report": {"type": "object"},
            },
        },
        "Scores": {"type": "array", "items": text_hit},
        "EitherAnswer": {"anyOf": [_ref("Ranking"), _ref("Scores")]},
    }
