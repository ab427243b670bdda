"""What one request may take, who may ask, and what is refused past the capacity."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

pytest.importorskip("starlette")

from rerank_core import ConfigurationError, Reranker
from rerank_core.serving.admission import FIRST, Admission
from rerank_core.serving.keys import Keys
from rerank_core.serving.limits import Limits
from rerank_core.serving.models import Models
from rerank_core.serving.refusal import Refusal
from serving.served import QUERY, TEXTS, ask, run

BODY = {"query": QUERY, "documents": TEXTS}
KEY = "correct-horse-battery"


@pytest.fixture
def bm25() -> Iterator[dict[str, Reranker]]:
    with Reranker("bm25") as reranker:
        yield {"m": reranker}


async def slow(query: str, texts: list[str]) -> list[float]:
    await asyncio.sleep(0.4)
    return [1.0] * len(texts)


@pytest.mark.parametrize("field", ["documents", "texts"])
def test_too_many_documents(bm25: dict[str, Reranker], field: str) -> None:
    """Are refused as too large, with the number that may be sent."""
    answer = ask(bm25, "/rerank", {"query": "q", field: ["a"] * 4}, limits=Limits(max_documents=3))

    assert answer.status_code == 413
    assert "at most 3 documents" in answer.text


def test_a_huge_body_is_not_read_whole(bm25: dict[str, Reranker]) -> None:
    """Whether it says its size or not."""
    body = json.dumps({**BODY, "documents": ["a" * 5000]}).encode()
    sent = []

    async def drip() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 100):
            sent.append(at)
            yield body[at : at + 100]

    async def talk(client: httpx.AsyncClient, models: Models) -> list[httpx.Response]:
        return [
            await client.post("/v2/rerank", content=body),
            await client.post("/v2/rerank", content=drip()),
        ]

    for answer in run(bm25, talk, limits=Limits(max_bytes=1000)):
        assert answer.status_code == 413
        assert answer.json() == {"message": "the body is too large: at most 1000 bytes"}
        assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_arrive(bm25: dict[str, Reranker]) -> None:
    """Is not waited for."""

    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    async def talk(client: httpx.AsyncClient, models: Models) -> httpx.Response:
        return await client.post("/v2/rerank", content=stalls())

    assert run(bm25, talk, limits=Limits(read_timeout=0.1)).status_code == 408


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data"}]
)
def test_only_plain_json_is_read(bm25: dict[str, Reranker], headers: dict[str, str]) -> None:
    """A compressed body could be of any size."""
    assert ask(bm25, "/v2/rerank", b"{}", headers=headers).status_code == 415


def test_the_servers_time_is_the_most_there_is() -> None:
    """A model without a limit of its own has the server's, and a client may ask for less."""
    with Reranker(slow) as reranker:
        by_server = ask({"m": reranker}, "/v2/rerank", BODY, limits=Limits(timeout=0.1))
        by_client = ask({"m": reranker}, "/v2/rerank", BODY, headers={"X-Rerank-Timeout": "0.1"})
        neither = ask({"m": reranker}, "/v2/rerank", BODY)
        odd = ask({"m": reranker}, "/v2/rerank", BODY, headers={"X-Rerank-Timeout": "nan"})

    reports = [json.loads(one.headers["x-rerank-report"]) for one in (by_server, by_client)]
    assert [report["reasons"] for report in reports] == [["timeout"]] * 2
    assert not json.loads(neither.headers["x-rerank-report"])["degraded"]
    assert odd.status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong-horse-battery"}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer  {KEY}"}, 200),
        ({"Api-Key": KEY}, 200),
        ({"X-API-Key": KEY}, 200),
        ({"Authorization": "Bearer \xff".encode("latin-1")}, 401),
    ],
)
def test_a_key_is_needed_where_there_are_keys(
    bm25: dict[str, Reranker], headers: dict[str, Any], status: int
) -> None:
    """As all clients send it; the answer tells neither the key nor the one that was tried."""
    answer = ask(bm25, "/v2/rerank", BODY, headers=headers, keys=Keys(["another-key-1", KEY]))

    assert answer.status_code == status
    assert "horse" not in answer.text


def test_what_tells_nothing_needs_no_key(bm25: dict[str, Reranker]) -> None:
    """Probes and the page; metrics and the names of models do."""

    async def talk(client: httpx.AsyncClient, models: Models) -> dict[str, int]:
        paths = ("/", "/health", "/ready", "/openapi.json", "/metrics", "/v1/models", "/info")
        return {path: (await client.get(path)).status_code for path in paths}

    found = run(bm25, talk, keys=Keys([KEY]))
    assert [path for path, status in found.items() if status == 200] == [
        "/",
        "/health",
        "/ready",
        "/openapi.json",
    ]
    assert {found[path] for path in ("/metrics", "/v1/models", "/info")} == {401}


def test_keys_come_from_a_file_or_the_environment(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a line, or separated by commas; what could not work is said now, and no key is shown."""
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{KEY}  # the shop's\n\nanother-key-1\n")
    monkeypatch.setenv("RERANK_SERVE_KEYS", f"{KEY}, another-key-1")

    assert repr(Keys.found(file)) == repr(Keys.found()) == "Keys(2)"
    Keys.found(file).check({"authorization": f"Bearer {KEY}"})
    file.write_text("# none\n")
    with pytest.raises(ConfigurationError, match="holds no key"):
        Keys.found(file)
    with pytest.raises(ConfigurationError, match="shorter than") as caught:
        Keys(["horse"])
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize("name", ["max_documents", "max_bytes", "timeout", "capacity", "grace"])
def test_limits_are_checked(name: str) -> None:
    """By name."""
    with pytest.raises(ConfigurationError, match=name):
        Limits(**{name: 0})


# -- past the capacity -----------------------------------------------------------------------------


def test_past_its_capacity_it_refuses_at_once() -> None:
    """With 429 and when to come again, in the shape of whoever asks; nobody waits in a queue."""

    async def talk(client: httpx.AsyncClient, models: Models) -> list[httpx.Response]:
        cohere = [client.post("/v2/rerank", json=BODY) for _ in range(3)]
        tei = [client.post("/rerank", json={"query": "q", "texts": TEXTS}) for _ in range(3)]
        return await asyncio.gather(*cohere, *tei)

    with Reranker(slow) as reranker:
        answers = run({"m": reranker}, talk, limits=Limits(capacity=2))

    refused = [one for one in answers if one.status_code == 429]
    assert [one.status_code for one in answers].count(200) == 2
    assert len(refused) == 4
    assert {one.headers["retry-after"] for one in refused} == {"1"}
    assert {one.json().get("error_type") for one in refused} == {"Overloaded", None}


def test_the_first_rankings_are_let_in_up_to_a_guess() -> None:
    """Nothing is known of the model yet."""
    admission = Admission(64, deadline=1.0)
    for _ in range(FIRST):
        admission.enter(0.0)

    with pytest.raises(Refusal):
        admission.enter(0.0)


def served(admission: Admission, seconds_each: float, rounds: int) -> None:
    """As many as are let in, all the time, over a machine that does one after the other."""
    now = 0.0
    for _ in range(rounds):
        entries = []
        while admission.under_way < admission.limit:
            entries.append(admission.enter(now))
        for entry in entries:
            now += seconds_each
            admission.leave(entry, now, late=now - entry.at > 1.0)


def test_it_finds_what_is_done_in_time() -> None:
    """Ten a second within one second: more than half of them, and no more than all."""
    admission = Admission(64, deadline=1.0)
    served(admission, 0.1, rounds=200)

    assert 5 <= admission.limit <= 10


def test_it_goes_up_to_the_most_where_there_is_room() -> None:
    """A service that takes as many as there are."""
    admission = Admission(64, deadline=1.0)
    served(admission, 0.001, rounds=300)

    assert admission.limit == 64


def test_one_is_always_let_in() -> None:
    """However late it is: else nothing would ever be learned again."""
    admission = Admission(64, deadline=1.0)
    served(admission, 3.0, rounds=20)

    assert admission.limit == 1
    admission.enter(100.0)


def test_a_slow_service_is_not_taken_for_a_full_one() -> None:
    """One that takes most of the deadline, alone, says nothing of how many it takes."""
    admission = Admission(64, deadline=1.0)
    entry = admission.enter(0.0)
    admission.leave(entry, 0.9, late=False)

    assert admission.limit == FIRST


def test_who_leaves_is_not_ranked_for() -> None:
    """The client went: the scorer is told to stop, and its place is free."""
    stopped: list[bool] = []

    async def patient(query: str, texts: list[str]) -> list[float]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return []

    async def talk(app_scope: dict[str, Any], models: Models, app: Any) -> None:
        messages = iter([{"type": "http.request", "body": json.dumps(BODY).encode()}])

        async def receive() -> Any:
            if (message := next(messages, None)) is not None:
                return message
            await asyncio.sleep(0.2)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None: ...

        await app(app_scope, receive, send)
        assert [model.admission.under_way for model in models] == [0]

    from rerank_core.serving.app import make_app

    async def main(reranker: Reranker) -> None:
        models = Models({"m": reranker}, Limits())
        app = make_app(models)
        scope = {"type": "http", "method": "POST", "path": "/v2/rerank", "headers": []}
        scope |= {"query_string": b"", "root_path": "", "http_version": "1.1", "scheme": "http"}
        await talk(scope, models, app)
        for _ in range(200):
            if stopped:
                break
            await asyncio.sleep(0.01)

    with Reranker(patient) as reranker:
        asyncio.run(main(reranker))

    assert stopped
