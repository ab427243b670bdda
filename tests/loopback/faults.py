"""What can go wrong between a client and a server, as data: any of it over any protocol.

A fault says what is done to a reply and to which requests. `FAULTS` holds the usual ones by name;
`dataclasses.replace` changes a detail, `fault.only(first(2))` says when it strikes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from loopback.messages import Request

When = Callable[[Request], bool]


def always(request: Request) -> bool:
    """Every request."""
    return True


def first(count: int) -> When:
    """The first `count` requests, and none after them."""
    return lambda request: request.number < count


def after(count: int) -> When:
    """Every request but the first `count`."""
    return lambda request: request.number >= count


def every(n: int) -> When:
    """The n-th request, the 2n-th, and so on."""
    return lambda request: request.number % n == n - 1


def share(part: float, seed: int = 0) -> When:
    """That part (0..1) of the requests, the same ones for the same seed."""
    return lambda request: random.Random(f"{seed}/{request.number}").random() < part


def matching(text: str) -> When:
    """The requests with `text` in their body or path."""
    return lambda request: text.encode() in request.body or text in request.path


@dataclass(frozen=True)
class Fault:
    """What is done to a reply. The fields compose: a 503 can drip, a good body can break off."""

    name: str
    when: When = always

    #: An error of the protocol's own shape stands in for the reply.
    status: int | None = None
    message: str = "it went wrong"
    #: The error code in words, where the protocol has a place for it.
    code: str | None = None
    #: Sent as Retry-After: a number of seconds, an HTTP date, or OpenAI's `retry-after-ms`.
    retry_after: float | None = None
    retry_after_as: Literal["seconds", "date", "milliseconds"] = "seconds"
    #: The error message repeats the request's key, as careless servers do.
    echo_key: bool = False

    #: Seconds of silence before the first byte.
    delay: float = 0.0
    #: Seconds after every byte from there on; 0: all at once.
    drip: float = 0.0
    drip_from: Literal["head", "body"] = "body"

    #: Where the reply breaks off: before it, halfway through its head or body. And how.
    cut: Literal["start", "head", "body"] | None = None
    cut_by: Literal["close", "reset", "silence"] = "close"

    #: These bytes stand in for the whole reply; the connection is closed after them.
    raw: bytes | None = None
    #: What becomes of the body, and of the headers.
    body: Callable[[bytes], bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Bytes that the content length is wrong by. Too long: the connection is closed at the end.
    length_error: int = 0
    #: The reply redirects to where the request came.
    redirect: bool = False

    def only(self, when: When) -> Fault:
        """The same fault, for those requests."""
        return replace(self, when=when)


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


#: 10 MB of well-formed JSON that holds no answer.
_HUGE = b'{"padding": "' + b"x" * 10_000_000 + b'"}'
_HTML = b"<!doctype html><html><body><h1>Welcome</h1><p>Sign in [1] to go on.</p></body></html>"

_STATUS = [
    Fault(
        "context-length",
        status=400,
        message="This model's maximum context length is 8192 tokens. However, your messages "
        "resulted in 9001 tokens. Please reduce the length of the messages.",
        code="context_length_exceeded",
    ),
    Fault("bad-request", status=400, message="Invalid request."),
    Fault("unauthorized", status=401, message="Incorrect API key.", code="invalid_api_key"),
    Fault("unauthorized-echo", status=401, message="Incorrect API key.", echo_key=True),
    Fault("payment", status=402, message="Insufficient credit."),
    Fault("forbidden", status=403, message="Your key may not use this."),
    Fault(
        "unknown-model",
        status=404,
        message="The model `no-such-model` does not exist or you do not have access to it.",
        code="model_not_found",
    ),
    Fault("unknown-model-400", status=400, message="Invalid model: no-such-model is not found."),
    Fault("unknown-model-500", status=500, message="No healthy deployments for no-such-model."),
    Fault("wrong-key-400", status=400, message="API key not valid. Please pass a valid API key."),
    Fault("wrong-key-422", status=422, message="Incorrect API key."),
    Fault("request-timeout", status=408, message="Request timed out."),
    Fault("conflict", status=409, message="Conflict."),
    Fault("too-large", status=413, message="Request entity too large."),
    Fault("batch-size-422", status=422, message="batch size 25 > maximum allowed batch size 4"),
    Fault("characters-400", status=400, message="At most 30 characters are allowed."),
    Fault("tokens-500", status=500, message="input (793 tokens) is too large to process."),
    Fault("unprocessable", status=422, message="Unprocessable entity."),
    Fault("too-early", status=425, message="Too early."),
    Fault("rate-limit", status=429, message="Rate limit reached.", code="rate_limit_exceeded"),
    Fault(
        "rate-limit-seconds",
        status=429,
        message="Rate limit reached.",
        code="rate_limit_exceeded",
        retry_after=1,
    ),
    Fault(
        "rate-limit-date",
        status=429,
        message="Rate limit reached.",
        code="rate_limit_exceeded",
        retry_after=2,
        retry_after_as="date",
    ),
    Fault(
        "rate-limit-milliseconds",
        status=429,
        message="Rate limit reached.",
        code="rate_limit_exceeded",
        retry_after=0.2,
        retry_after_as="milliseconds",
    ),
    Fault(
        "rate-limit-hour",
        status=429,
        message="Rate limit reached.",
        code="rate_limit_exceeded",
        retry_after=3600,
    ),
    Fault(
        "quota",
        status=429,
        message="You exceeded your current quota, please check your plan and billing details.",
        code="insufficient_quota",
    ),
    Fault("server-error", status=500, message="The server had an error."),
    Fault("bad-gateway", status=502, message="Bad gateway."),
    Fault("unavailable", status=503, message="Service unavailable."),
    Fault("unavailable-seconds", status=503, message="Service unavailable.", retry_after=1),
    Fault("gateway-timeout", status=504, message="Gateway timeout."),
    Fault("overloaded", status=529, message="Overloaded.", code="overloaded_error"),
]

_TRANSPORT = [
    Fault("slow-head", delay=30.0),
    Fault("dripping-head", drip=0.2, drip_from="head"),
    Fault("dripping-body", drip=0.2),
    Fault("silent", cut="start", cut_by="silence"),
    Fault("silent-in-body", cut="body", cut_by="silence"),
    Fault("closed", cut="start"),
    Fault("closed-in-head", cut="head"),
    Fault("closed-in-body", cut="body"),
    Fault("reset", cut="start", cut_by="reset"),
    Fault("reset-in-body", cut="body", cut_by="reset"),
    Fault("garbage", raw=b"\x16\x03\x01\x02\x00 not HTTP at all \xff\xfe\r\n\r\n"),
    Fault("garbage-status", raw=b"HTTP/1.1 abc Strange\r\n\r\n"),
    Fault("length-too-long", length_error=50),
    Fault("length-too-short", length_error=-10),
]

_BODY = [
    Fault("empty-body", body=lambda _: b""),
    Fault("invalid-json", body=lambda _: b"{'scores': [1, 2,, }"),
    Fault("truncated-json", body=_half),
    Fault("json-null", body=lambda _: b"null"),
    Fault("json-list", body=lambda _: b"[]"),
    Fault("json-other", body=lambda _: b'{"unexpected": true}'),
    Fault("not-utf8", body=lambda _: b'{"choices": "\xff\xfe\x00"}'),
    Fault("html", body=lambda _: _HTML, headers={"content-type": "text/html"}),
    Fault("huge-body", body=lambda _: _HUGE),
    Fault("wrong-content-type", headers={"content-type": "application/octet-stream"}),
    Fault("gzip-garbage", headers={"content-encoding": "gzip"}),
    Fault("redirect-loop", redirect=True),
]

#: By name.
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _STATUS + _TRANSPORT + _BODY}
