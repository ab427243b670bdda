"""The application: a request in, a ranking out, and whatever else is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .. import __version__
from ..errors import InvalidInputError, Reason, ScorerError
from ..ranking.ranking import DegradedError, Ranking
from ..ranking.report import Report
from ..telemetry.log import log
from ..telemetry.tracing import request_span
from . import page, shapes
from .keys import Keys
from .limits import Limits, body_of, linger
from .metrics import Metrics
from .models import Model, Models
from .openapi import document
from .refusal import Refusal, Shape, invalid

#: The header that an answer tells of its ranking in, and the one in which a client may ask for less
#: time than the server gives, in seconds.
REPORT_HEADER, TIMEOUT_HEADER = "X-Rerank-Report", "X-Rerank-Timeout"
#: nginx's word for a client that went before it was answered: seen by metrics alone.
GONE = 499

RERANK_PATHS = ("/v2/rerank", "/v1/rerank", "/rerank")


def make_app(models: Models, *, limits: Limits | None = None, keys: Keys | None = None) -> Any:
    """The ASGI application. It loads the models when it starts, and closes them when it ends."""
    served = _Served(models, limits or Limits(), keys or Keys(), Metrics(models))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(models.load()), asyncio.create_task(models.watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            await models.aclose()

    get, post = ["GET"], ["POST"]
    routes = [Route(path, served.rerank, methods=post) for path in RERANK_PATHS]
    routes += [
        Route("/", served.page, methods=get),
        Route("/health", served.health, methods=get),
        Route("/ready", served.ready, methods=get),
        Route("/info", served.info, methods=get),
        Route("/v1/models", served.list_models, methods=get),
        Route("/metrics", served.scrape, methods=get),
        Route("/openapi.json", served.openapi, methods=get),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={HTTPException: _not_found, Refusal: _refused},
    )
    app.router.redirect_slashes = False  # a redirect of a POST loses what was asked
    return app


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = Refusal(error.status_code, error.detail, headers=error.headers)
    return await _refused(request, refusal)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _json(error.body(None), error.status, error.headers)


@dataclass
class _Answer:
    """What one request came to, for the log and the metrics too."""

    started: float
    route: str
    shape: Shape | None = None
    model: str | None = None
    documents: int = 0


class _Served:
    """What is served, and how."""

    def __init__(self, models: Models, limits: Limits, keys: Keys, metrics: Metrics) -> None:
        self.models, self.limits, self.keys, self.metrics = models, limits, keys, metrics

    # -- rankings ------------------------------------------------------------------------------

    async def rerank(self, request: Request) -> Response:
        route = request.url.path
        told = _Answer(time.monotonic(), route)
        with request_span("POST", route, request.headers) as span:
            response = await self._answered(request, told)
            span.finish(response.status_code, told.model)
        seconds = time.monotonic() - told.started
        self.metrics.request(route, told.model, response.status_code, seconds)
        log.info(
            "%s %s model=%s documents=%d ms=%.0f",
            *(route, response.status_code, told.model, told.documents, 1000 * seconds),
        )
        return response

    async def _answered(self, request: Request, told: _Answer) -> Response:
        told.shape = shapes.shape_of(told.route)
        try:
            try:
                return await self._ranked(request, told)
            except Refusal as refusal:
                if refusal.close and refusal.status != 408:
                    await linger(request)
                return _json(refusal.body(told.shape), refusal.status, refusal.headers)
        except ClientDisconnect:
            return Response(status_code=GONE)
        except Exception:
            log.exception("a request could not be answered")
            failed = Refusal(500, "internal error", kind="Backend")
            return _json(failed.body(told.shape), failed.status)

    async def _ranked(self, request: Request, told: _Answer) -> Response:
        self.keys.check(request.headers)
        body = shapes.parse(await body_of(request, self.limits))
        told.shape = told.shape or shapes.shape_in(body)
        asked = shapes.read(told.shape, body, most=self.limits.max_documents)
        model = self.models.named(asked.model)
        told.model, told.documents = model.name, len(asked.documents)
        deadline = _deadline(request.headers, model.deadline, told.shape)
        entry = model.admission.enter(time.monotonic())
        late: bool | None = None
        try:
            with model.in_use():
                ranking = await _unless_gone(request, self._rank(model, asked, deadline))
            late = _late(ranking.report)
        finally:
            model.admission.leave(entry, time.monotonic(), late=late)
        self.metrics.ranking(model.name, ranking.report, len(ranking.all))
        headers = {
            REPORT_HEADER: _brief(ranking.report, model.name, time.monotonic() - told.started)
        }
        if "text/html" in request.headers.get("accept", ""):
            shown = ranking._repr_html_().encode("utf-8", "replace")
            return Response(shown, media_type="text/html", headers=headers)
        return _json(shapes.as_json(shapes.answer(asked, ranking, model.name)), 200, headers)

    @staticmethod
    async def _rank(model: Model, asked: shapes.Asked, deadline: float | None) -> Ranking:
        """The ranking. Raises `Refusal` where there is none to be had."""
        try:
            return await model.reranker.arank(
                asked.query, asked.documents, top_n=asked.top_n, timeout=deadline
            )
        except InvalidInputError as error:
            raise invalid(asked.shape, str(error)[:300]) from None
        except DegradedError as error:
            why = ", ".join(error.ranking.report.reasons)
            raise Refusal(503, f"the ranking was degraded: {why}", kind="Backend") from None
        except ScorerError as error:
            # whose key or model it was is for the log: who asks here can do nothing about it
            log.error("%s cannot rank: %s", model.name, error)
            raise Refusal(502, f"the model failed: {error.reason}", kind="Backend") from None

    # -- all else ------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """A page to try it on."""
        names = [] if len(self.keys) else sorted(model.name for model in self.models)
        shown = page.page(names, keyed=bool(len(self.keys)))
        return Response(shown, media_type="text/html", headers=page.HEADERS)

    async def health(self, request: Request) -> Response:
        """That the process answers."""
        return _json(shapes.as_json({"status": "ok", "version": __version__}))

    async def ready(self, request: Request) -> Response:
        """Whether every model is loaded."""
        ready = self.models.ready
        states = {model.name: _state(model) for model in self.models}
        body = {"status": "ready" if ready else "loading", "models": states}
        return _json(shapes.as_json(body), 200 if ready else 503)

    async def info(self, request: Request) -> Response:
        """What TEI tells of itself, as far as it is true here."""
        self.keys.check(request.headers)
        told = {
            "model_id": self.models.named(None).name,
            "model_type": {"reranker": {"id2label": {"0": "relevance"}, "label2id": {}}},
            "max_client_batch_size": self.limits.max_documents,
            "version": __version__,
        }
        return _json(shapes.as_json(told))

    async def list_models(self, request: Request) -> Response:
        """The names there are, as OpenAI's API lists them."""
        self.keys.check(request.headers)
        data = [{"id": model.name, "object": "model"} for model in self.models]
        return _json(shapes.as_json({"object": "list", "data": data}))

    async def scrape(self, request: Request) -> Response:
        """Prometheus's."""
        self.keys.check(request.headers)
        return Response(self.metrics.text(), headers={"content-type": self.metrics.content_type})

    async def openapi(self, request: Request) -> Response:
        """What there is to be asked, and how."""
        return _json(shapes.as_json(document(self.limits, keyed=bool(len(self.keys)))))


def _state(model: Model) -> str:
    if model.loaded:
        return "loaded" if model.problem is None else "loaded; its file has changed and is refused"
    return "loading" if model.problem is None else "cannot be loaded"


def _late(report: Report) -> bool | None:
    """Whether the deadline cut it. None: it ended early for another reason, and tells nothing of
    how many are done in time.
    """
    return True if Reason.TIMEOUT in report.reasons else None if report.degraded else False


def _deadline(headers: Mapping[str, str], most: float | None, shape: Shape) -> float | None:
    """The ranking's, in seconds: what the client asks for, and no more than the model has."""
    asked = headers.get(TIMEOUT_HEADER)
    if asked is None:
        return most
    try:
        seconds = float(asked)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise invalid(shape, f"{TIMEOUT_HEADER} is a number of seconds above 0")
    return seconds if most is None else min(seconds, most)


async def _unless_gone(request: Request, ranking: Awaitable[Ranking]) -> Ranking:
    """The ranking; cancelled, and `ClientDisconnect`, where nobody waits for it any more."""
    task = asyncio.ensure_future(ranking)
    gone = asyncio.ensure_future(_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _brief(report: Report, model: str, seconds: float) -> str:
    """The report on one line of ASCII."""
    told = {
        "model": model,
        "coverage": round(report.coverage, 4),
        "degraded": report.degraded,
        "reasons": [str(reason) for reason in report.reasons],
        "cost": report.cost,
        "cache_hits": report.cache_hits,
        "ms": round(1000 * seconds, 1),
    }
    return json.dumps(told, separators=(",", ":"))


def _json(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
