"""Models by name, from a folder that may change; what is told of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("starlette")

from rerank_core import ConfigurationError, Reranker
from rerank_core.serving import models as serving_models
from rerank_core.serving.limits import Limits
from rerank_core.serving.models import Models
from serving.served import QUERY, TEXTS, ask, run

BODY = {"query": QUERY, "documents": TEXTS}


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_models, "POLL", 60.0)  # the tests look themselves


def write(folder: Path, name: str, scorer: str = "bm25", more: str = "") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(f'[reranker]\nscorer = "{scorer}"\n{more}')
    return file


def test_models_are_asked_by_the_names_of_their_files(tmp_path: Path) -> None:
    """TOML, JSON or YAML."""
    pytest.importorskip("yaml")
    write(tmp_path, "fast")
    (tmp_path / "best.json").write_text('{"reranker": {"scorer": "hybrid"}}')
    (tmp_path / "plain.yaml").write_text("reranker:\n  scorer: bm25\n")
    (tmp_path / "short.yml").write_text("reranker:\n  scorer: bm25\n")

    for name in ("fast", "best", "plain", "short"):
        answer = ask(tmp_path, "/v1/rerank", {**BODY, "model": name})
        assert answer.json()["model"] == name


def test_an_unknown_model_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    """And so is none, where there are several and none is the default."""
    write(tmp_path, "fast")
    write(tmp_path, "best", "hybrid")

    unknown = ask(tmp_path, "/v2/rerank", {**BODY, "model": "rerank-v3.5"})
    missing = ask(tmp_path, "/rerank", {"query": "q", "texts": ["a"]})

    assert unknown.status_code == 404
    assert unknown.json() == {"message": "no such model: there are best, fast"}
    assert missing.status_code == 400
    assert missing.json()["error"] == "model is needed: there are best, fast"


@pytest.mark.parametrize("aliases", ['["rerank-v3.5"]', '["*"]'])
def test_a_model_may_have_other_names(tmp_path: Path, aliases: str) -> None:
    """Or any, for clients that cannot be told."""
    write(tmp_path, "fast", more=f"[serve]\naliases = {aliases}\ndefault = true\n")
    write(tmp_path, "best", "hybrid")

    for asked in ({"model": "rerank-v3.5"}, {}):
        assert ask(tmp_path, "/v1/rerank", {**BODY, **asked}).json()["model"] == "fast"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[serve]\nalias = []\n", "unknown"),
        ("[server]\naliases = []\n", r"\[server\]: did you mean \[serve\]"),
        ('[serve]\naliases = "x"\n', "aliases"),
        ("[serve]\ndefault = 1\n", "default"),
        ('[serve]\naliases = ["other"]\n', "other"),
        ("top_m = 3\n", "top_m"),
    ],
)
def test_what_cannot_be_served_is_said_at_the_start(tmp_path: Path, more: str, said: str) -> None:
    """By its file."""
    write(tmp_path, "other")
    write(tmp_path, "fast", more=more)

    with pytest.raises(ConfigurationError, match=said):
        Models(tmp_path, Limits())


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    """With what to write."""
    with pytest.raises(ConfigurationError, match=r"NAME\.toml"):
        Models(tmp_path, Limits())


def changed(
    folder: Path, change: Callable[[], Any], *bodies: dict[str, Any]
) -> tuple[list[httpx.Response], Models]:
    """Ask, change the folder, look, ask again."""

    async def talk(client: httpx.AsyncClient, models: Models) -> Any:
        before = [await client.post("/v1/rerank", json=body) for body in bodies]
        change()
        await models.look()
        after = [await client.post("/v1/rerank", json=body) for body in bodies]
        metrics = await client.get("/metrics")
        return [*before, *after, await client.get("/ready"), metrics], models

    found: tuple[list[httpx.Response], Models] = run(folder, talk)
    return found


def test_a_file_that_changes_is_taken_over(tmp_path: Path) -> None:
    """Without a request that fails."""
    write(tmp_path, "fast", more="[serve]\naliases = ['x']\n")
    (before, after, ready, metrics), _ = changed(
        tmp_path,
        lambda: write(tmp_path, "fast", "hybrid", "depth = 0\n[serve]\naliases = ['x']\n"),
        {**BODY, "model": "x"},
    )

    assert [one["index"] for one in before.json()["results"]] == [1, 0, 2]
    assert [one["index"] for one in after.json()["results"]] == [0, 1, 2]
    assert ready.json()["models"] == {"fast": "loaded"}
    assert 'rerank_reloads_total{model="fast",outcome="taken"} 1.0' in metrics.text


def test_a_broken_file_keeps_the_old_model_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log with the reason, at /ready without it."""
    file = write(tmp_path, "fast")
    with caplog.at_level(logging.ERROR):
        (before, after, ready, metrics), _ = changed(
            tmp_path, lambda: file.write_text("[reranker\n"), BODY
        )

    assert before.json()["results"] == after.json()["results"]
    assert ready.status_code == 200
    assert ready.json()["models"]["fast"] == "loaded; its file has changed and is refused"
    assert "the model before is kept" in caplog.text
    assert 'outcome="refused"} 1.0' in metrics.text


def test_a_file_may_come_and_go(tmp_path: Path) -> None:
    """And its model with it; the last one stays, as a folder may be empty while it is replaced."""
    write(tmp_path, "old")

    def swap() -> None:
        write(tmp_path, "new", "hybrid")
        (tmp_path / "old.toml").unlink()

    (_, _, gone, there, *_), models = changed(
        tmp_path, swap, {**BODY, "model": "old"}, {**BODY, "model": "new"}
    )

    assert (gone.status_code, there.status_code) == (404, 200)
    (tmp_path / "new.toml").unlink()
    asyncio.run(models.look())
    assert [model.name for model in models] == ["new"]


def test_a_model_is_closed_when_nobody_is_answered_by_it_any_more(tmp_path: Path) -> None:
    """A reload does not cut off who is being answered."""

    async def main() -> None:
        models = Models(tmp_path, Limits())
        old = models.named(None)
        with old.in_use():
            write(tmp_path, "fast", "hybrid")
            await models.look()
            assert models.named(None) is not old
            await asyncio.sleep(0)
            (retiring,) = models._tasks
            assert not retiring.done()
        await asyncio.wait_for(retiring, 5)
        await models.aclose()

    write(tmp_path, "fast")
    asyncio.run(main())


def test_readiness_is_that_every_model_is_loaded() -> None:
    """Until then, and where one cannot be, 503: no traffic yet; the process is in good health."""

    class Heavy:
        name = "heavy"
        independent = True
        broken = True

        async def warm_up(self) -> None:
            if self.broken:
                raise OSError("no /models/heavy.onnx")

        async def score(self, query: str, texts: list[str]) -> list[float]:
            return [1.0] * len(texts)

    async def main(reranker: Reranker, scorer: Heavy) -> list[httpx.Response]:
        from rerank_core.serving.app import make_app

        models = Models({"heavy": reranker}, Limits())
        app = make_app(models)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://served") as client:
            first = await client.get("/ready")
            await models.load()
            second = await client.get("/ready")
            scorer.broken = False
            await models.load()
            return [first, second, await client.get("/ready"), await client.get("/health")]

    scorer = Heavy()
    with Reranker(scorer) as reranker:
        loading, failed, ready, health = asyncio.run(main(reranker, scorer))

    assert (loading.status_code, loading.json()["models"]) == (503, {"heavy": "loading"})
    assert (failed.status_code, failed.json()["models"]) == (503, {"heavy": "cannot be loaded"})
    assert ready.status_code == health.status_code == 200
    assert "heavy.onnx" not in failed.text


def test_metrics_count_requests_documents_and_reasons() -> None:
    """By model, route and status; a name that somebody made up is no label."""

    def fails(query: str, texts: list[str]) -> list[float]:
        raise RuntimeError

    async def talk(client: httpx.AsyncClient, models: Models) -> str:
        await client.post("/v2/rerank", json={**BODY, "model": "a"})
        await client.post("/v2/rerank", json={**BODY, "model": "b"})
        await client.post("/v2/rerank", json={**BODY, "model": "made-up"})
        return (await client.get("/metrics")).text

    with Reranker("bm25") as good, Reranker(fails) as bad:
        said = run({"a": good, "b": bad}, talk)

    assert 'rerank_requests_total{model="a",route="/v2/rerank",status="200"} 1.0' in said
    assert 'rerank_requests_total{model="",route="/v2/rerank",status="404"} 1.0' in said
    assert 'rerank_documents_total{model="a"} 3.0' in said
    assert 'rerank_degraded_total{model="b",reason="scorer"} 1.0' in said
    assert 'rerank_model_loaded{model="a"} 1.0' in said
    assert "made-up" not in said


def test_a_request_is_a_span_of_the_callers_trace() -> None:
    """By its `traceparent`; the ranking's span is its child."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    caller = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{caller}-b7ad6b7169203331-01"}
    before, trace._TRACER_PROVIDER = trace._TRACER_PROVIDER, provider
    try:
        with Reranker("bm25") as reranker:
            ask({"m": reranker}, "/v2/rerank", BODY, headers=headers)
    finally:
        trace._TRACER_PROVIDER = before

    spans = {span.name: span for span in exporter.get_finished_spans()}
    request = spans["POST /v2/rerank"]
    assert format(request.context.trace_id, "032x") == caller
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["rerank.model"] == "m"
    assert spans["rerank"].parent.span_id == request.context.span_id


def test_what_is_not_there_is_said_in_json() -> None:
    """A wrong path, a wrong method."""

    async def talk(client: httpx.AsyncClient, models: Models) -> list[httpx.Response]:
        return [await client.get("/nope"), await client.get("/v2/rerank")]

    with Reranker("bm25") as reranker:
        missing, method = run({"m": reranker}, talk)

    assert (missing.status_code, method.status_code) == (404, 405)
    assert missing.json()["message"] == missing.json()["error"] == "Not Found"


def test_models_are_listed_and_tei_info_is_there() -> None:
    """As clients look for them."""

    async def talk(client: httpx.AsyncClient, models: Models) -> list[Any]:
        return [(await client.get(path)).json() for path in ("/v1/models", "/info")]

    with Reranker("bm25") as reranker:
        listed, info = run({"m": reranker}, talk)

    assert listed == {"object": "list", "data": [{"id": "m", "object": "model"}]}
    assert info["model_id"] == "m"
    assert info["max_client_batch_size"] == Limits().max_documents


def test_the_page_runs_its_own_script_and_loads_nothing() -> None:
    """Said by its policy, which names the script by its digest."""
    import re
    from base64 import b64encode
    from hashlib import sha256

    async def talk(client: httpx.AsyncClient, models: Models) -> httpx.Response:
        return await client.get("/")

    with Reranker("bm25") as reranker:
        page = run({"<b>": reranker}, talk)

    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["content-security-policy"]
    assert not re.search(r"(src|href)=|https?://|url\(", page.text)
    assert "<option>&lt;b&gt;</option>" in page.text
