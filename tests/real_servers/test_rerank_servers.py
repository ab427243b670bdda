"""Rerank servers that nobody here wrote: the same scores as when they are asked directly.

Each is started here, from an environment of its own: `python -m venv DIR`, `DIR/bin/pip install
"litellm[proxy]"`, `"infinity-emb[torch,server]" "transformers<5"` or `"transformers[serving]"`, and
`RERANK_SERVERS=DIR/bin` (several as in PATH). What is not installed is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from loopback import RerankAPI, Server
from models import tiny_cross_encoder, tiny_grader

from real_servers.faces import FACES, ranked
from real_servers.redis_servers import Process, ended, free_ports, until
from rerank_core import ScorerError
from rerank_core.llm.prompts import PROMPTS
from rerank_core.scorers import LLMScorer, RerankAPIScorer

pytestmark = pytest.mark.slow

KEY = "sk-loopback-4f1c9a"
QUERY = "what is the capital of france"
TEXTS = ["paris is the capital of france", "rome", "berlin is the capital", "yes", "no no", "the"]


def server_program(name: str, package: str, brings: str) -> str:
    """Its path. `brings`: a module of the package's extra, without which it is there in vain."""
    places = [os.environ.get("RERANK_SERVERS", "")]
    if find_spec(brings) is not None:
        places.append(str(Path(sys.executable).parent))
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"no {name}: pip install {package}, its bin folder in RERANK_SERVERS")
    return found


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """LiteLLM's proxy, in front of a rerank server of ours."""
    program = server_program("litellm", '"litellm[proxy]"', "apscheduler")
    folder, (port,) = tmp_path_factory.mktemp("litellm"), free_ports(1)
    with Server(RerankAPI("infinity")) as behind:
        config = {
            "model_list": [
                {
                    "model_name": "mine",
                    "litellm_params": {
                        "model": "infinity/any",
                        "api_base": behind.url,
                        "api_key": "none",
                    },
                }
            ],
            "general_settings": {"master_key": KEY},
        }
        (folder / "config.yaml").write_text(json.dumps(config))
        command = ["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", program, "--config", "config.yaml"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        with ended([Process(command, folder)]):
            url = f"http://127.0.0.1:{port}"
            until(lambda: httpx.get(f"{url}/health/liveliness").is_success, "the proxy is up", 180)
            yield url


@pytest.fixture(scope="module")
def infinity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Infinity, with a cross-encoder of two small layers; its address, and the model's name."""
    program = server_program(
        "infinity_emb", '"infinity-emb[torch,server]" "transformers<5"', "infinity_emb"
    )
    folder, (port,) = tmp_path_factory.mktemp("infinity"), free_ports(1)
    model = tiny_cross_encoder(folder / "tiny")
    command = ["env", "HF_HUB_OFFLINE=1", "DO_NOT_TRACK=1", program, "v2"]
    command += ["--model-id", str(model), "--served-model-name", "tiny", "--engine", "torch"]
    command += ["--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with ended([Process(command, folder)]):
        url = f"http://127.0.0.1:{port}"
        until(lambda: httpx.get(f"{url}/health").is_success, "Infinity is up", 240)
        yield url, "tiny"


@pytest.fixture(scope="module")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """`transformers serve`, with a chat model of two small layers; its address and the model."""
    program = server_program("transformers", '"transformers[serving]"', "uvicorn")
    pytest.importorskip("fastapi")
    folder, (port,) = tmp_path_factory.mktemp("transformers"), free_ports(1)
    model = str(tiny_grader(folder / "grader"))
    command = ["env", "HF_HUB_OFFLINE=1", program, "serve", model, "--device", "cpu"]
    with ended([Process([*command, "--host", "127.0.0.1", "--port", str(port)], folder)]):
        url = f"http://127.0.0.1:{port}"
        until(lambda: httpx.get(f"{url}/health").is_success, "transformers serve is up", 240)
        yield f"{url}/v1", model


def asked_directly(url: str, model: str, key: str | None = None) -> dict[str, float]:
    """The score of each text, from one plain request."""
    body = {"model": model, "query": QUERY, "documents": TEXTS, "top_n": len(TEXTS)}
    headers = {"authorization": f"Bearer {key}"} if key else {}
    answer = httpx.post(f"{url}/rerank", json=body, headers=headers, timeout=60).raise_for_status()
    return {TEXTS[hit["index"]]: hit["relevance_score"] for hit in answer.json()["results"]}


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("face", FACES)
def test_litellms_proxy_answers_alike(litellm: str, face: str, batch_size: int | None) -> None:
    """Through the core and both frameworks, in one request and in several."""
    scorer = RerankAPIScorer(f"litellm+{litellm}", "mine", api_key=KEY, batch_size=batch_size)

    ranking = ranked(face, scorer, QUERY, TEXTS, timeout=60)

    assert ranking.report.reasons == ()
    found = {hit.text: hit.score for hit in ranking.all}
    assert found == pytest.approx(asked_directly(litellm, "mine", KEY), abs=1e-6)


@pytest.mark.parametrize("model", ["nobody's", "mine/2", "Mine"])
def test_litellms_proxy_refuses_a_model_that_it_does_not_know(litellm: str, model: str) -> None:
    """It says so with a 400; that is an error at the first call all the same."""
    scorer = RerankAPIScorer(f"litellm+{litellm}", model, api_key=KEY)

    with pytest.raises(ScorerError, match="HTTP 400"):
        ranked("core", scorer, QUERY, TEXTS, timeout=60)


@pytest.mark.parametrize("face", FACES)
def test_litellms_proxy_refuses_a_wrong_key_in_its_own_words(litellm: str, face: str) -> None:
    """Without a database it cannot look a key up, and says 400: the report has its words."""
    scorer = RerankAPIScorer(f"litellm+{litellm}", "mine", api_key="sk-wrong-4f1c9a")

    report = ranked(face, scorer, QUERY, TEXTS, timeout=60).report

    assert report.coverage == 0.0
    assert "HTTP 400: No connected db" in report.why
    assert "4f1c9a" not in report.why


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("face", FACES)
def test_infinity_answers_alike(
    infinity: tuple[str, str], face: str, batch_size: int | None
) -> None:
    """The raw scores are those of the model itself, whatever goes together."""
    url, model = infinity
    scorer = RerankAPIScorer(f"infinity+{url}", model, batch_size=batch_size)

    ranking = ranked(face, scorer, QUERY, TEXTS, timeout=60)

    assert ranking.report.reasons == ()
    found = {hit.text: hit.score for hit in ranking.all}
    assert found == pytest.approx(asked_directly(url, model), abs=1e-4)


@pytest.mark.parametrize("face", FACES)
def test_transformers_serve_grades_alike(transformers: tuple[str, str], face: str) -> None:
    """A chat model's grades are those of plain requests with the same words."""
    url, model = transformers
    scorer = LLMScorer(model, strategy="pointwise", base_url=url, api_key="none")

    ranking = ranked(face, scorer, QUERY, TEXTS, timeout=120)

    assert ranking.report.reasons == ()
    grades = {hit.text: round(hit.components["llm:raw"] or 0) for hit in ranking.all}
    assert grades == {text: _graded_directly(url, model, text) for text in TEXTS}
    assert len(set(grades.values())) > 1


def _graded_directly(url: str, model: str, text: str) -> int:
    system, user = PROMPTS["pointwise"].render(QUERY, [text], (0, 10))
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    body = {"model": model, "messages": messages, "max_tokens": 8}
    answer = httpx.post(f"{url}/chat/completions", json=body, timeout=60).raise_for_status()
    return int(answer.json()["choices"][0]["message"]["content"])
