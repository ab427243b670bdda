"""One rule for what looks like a secret, and every face that keeps to it."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import FAULTS, RerankAPI, Server, refusing

from llamaindex_rerank import BM25Reranker, RerankAPIReranker
from rerank_core import ConfigurationError, Reranker, RerankError
from rerank_core.remote.secret import (
    Secret,
    held,
    holds_secret,
    is_secret_name,
    redact,
    without_secrets,
)
from rerank_core.scorers import CohereScorer, EmbeddingScorer, LLMScorer, RerankAPIScorer

for _package in ("openai", "cohere", "redis"):
    pytest.importorskip(_package)

PLANTED = "hunter2+9b/1f04"
QUOTED = "hunter2%2B9b%2F1f04"
DOCUMENTS = ["Paris", "Rome, capital of Italy"]


# -- the rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "OPENAI_API_KEY",
        "x-api-key",
        "Ocp-Apim-Subscription-Key",
        "token",
        "access_token",
        "X-Auth-Token",
        "password",
        "redis_password",
        "client_secret",
        "Authorization",
        "Proxy-Authorization",
        "credentials",
        "auth",
        "key",
        "api_keys",
        "apikey",
    ],
)
def test_a_name_of_a_secret(name: str) -> None:
    """By its last word, however the words are joined."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "count_tokens",
        "group_tokens",
        "tokens_per_minute",
        "max_tokens_per_doc",
        "top_k",
        "cache_key",
        "pad_token",
        "key_variables",
        "monkey",
        "author",
        "passes",
        "headers",
        "",
    ],
)
def test_a_name_of_something_else(name: str) -> None:
    """What counts tokens, or is called a key because one looks things up by it."""
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "redis://:hunter2@host/0",
        "redis://user:hunter2@host/0",
        "redis://user:p%40ss%2Fword@host",
        "redis://:pa/ss@host/0",
        "redis://host:6379/0?password=hunter2",
        "unix:///run/redis.sock?db=1&password=hunter2",
        "https://host/v1?api-version=1&api-key=hunter2",
        "api:https://host/rerank?key=hunter2",
        "https://ghp_0123456789abcdef0123@github.com/x",
        "Bearer hunter",
        "Basic dXNlcjpwYXNz",
        "sk-proj-0123456789abcdef",
        "AIzaSyA0123456789abcdefghij",
        "jina_0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "host=db user=me password=hunter2",
        "{'Authorization': 'Bearer hunter'}",
        {"headers": {"x-api-key": "hunter2"}},
        [{"options": ({"token": "hunter2"},)}],
        b"sk-0123456789abcdef",
    ],
)
def test_a_value_that_holds_a_secret(value: object) -> None:
    """In a URL, a header, a container; and keys by the look that their vendor gives them."""
    assert holds_secret(value)


@pytest.mark.parametrize(
    "value",
    [
        "redis://host:6379/0",
        "redis://user@host/0",
        "http://[::1]:8080/models/x@2",
        "http://host:8080/v1/models/bge@2",
        "https://host/v1?api-version=2024-10-21&max_tokens=512",
        "https://host/v1?password=",
        "jina-reranker-v2-base-multilingual",
        "Luyu/co-condenser-marco-retriever-v2",
        "mixedbread-ai/mxbai-rerank-large-v2",
        "Bearer authentication is required",
        "api_key=None",
        "Grade each document 0 to 10. Answer with its key: id",
        {"max_tokens": 512, "top_k": 5, "api_key": None},
        "memory",
        3,
        None,
    ],
)
def test_a_value_that_holds_none(value: object) -> None:
    """Addresses, models, prompts, and an option that was not given."""
    assert not holds_secret(value)


def test_what_is_taken_out_leaves_the_rest() -> None:
    """The message says what it said; a key that this process holds goes whatever it looks like."""
    secret = Secret("plain words", ())

    said = redact(f"401 for {secret.reveal()} at https://h/v1?api-key=abc&n=3: {'x' * 500}")

    assert said.startswith("401 for [redacted] at https://h/v1?api-key=[redacted]&n=3: xxx")
    assert len(said) == 300


def test_a_url_is_shown_without_what_is_secret() -> None:
    """Parameters that are none stay."""
    shown = without_secrets(f"https://u:{QUOTED}@h:80/x?v=1&key=abc#f")

    assert shown == "https://u@h:80/x?v=1#f"


# -- the faces -------------------------------------------------------------------------------------

#: Where a user may put a secret: a preset of LlamaIndex made with it, for a server at this address.
PLANTINGS: dict[str, Callable[[str], Any]] = {
    "redis password": lambda at: BM25Reranker(cache=f"redis://:{QUOTED}@{at}/0"),
    "redis user": lambda at: BM25Reranker(cache=f"redis://user:{QUOTED}@{at}/0"),
    "redis parameter": lambda at: BM25Reranker(cache=f"redis://{at}/0?password={QUOTED}"),
    "api key": lambda at: RerankAPIReranker(f"http://{at}/rerank", api_key=PLANTED),
    "url parameter": lambda at: RerankAPIReranker(f"http://{at}/rerank?api-key={QUOTED}"),
    "header": lambda at: RerankAPIReranker(
        f"http://{at}/rerank", headers={"Authorization": f"Bearer {PLANTED}"}
    ),
    "header of another name": lambda at: RerankAPIReranker(
        f"http://{at}/rerank", headers={"x-api-key": PLANTED, "x-team": "search"}
    ),
    "fallback by name": lambda at: BM25Reranker(fallback=f"api:http://{at}/rerank?key={QUOTED}"),
}


def shown_in(seen: dict[str, str]) -> list[str]:
    """The faces in which the secret, or half of it, shows."""
    parts = (PLANTED, QUOTED, "hunter2", "9b/1f04", "1f04")
    return [face for face, text in seen.items() if any(part in text for part in parts)]


@pytest.fixture
def address() -> Iterator[str]:
    with refusing() as url:
        yield url.removeprefix("http://")


@pytest.mark.parametrize("planting", PLANTINGS)
def test_no_face_shows_it(
    planting: str, address: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Not `to_dict`, a config file, a pickle, a repr, the report, a log, an error and its chain."""
    preset = PLANTINGS[planting](address)
    reranker: Reranker = preset.reranker
    seen = {"to_dict": f"{preset.to_dict()} {preset.model_dump()}", "repr": f"{preset!r}"}
    seen["repr"] += repr([reranker, *reranker.scorers.values(), *reranker.fallback.values()])
    seen["vars"] = str([vars(one) for one in reranker.scorers.values()])
    seen["pickle"] = repr(pickle.dumps(reranker))
    with caplog.at_level(logging.DEBUG):
        seen["report"] = repr(reranker.rank("capital of Italy", DOCUMENTS).report.to_dict())
        try:
            reranker.to_config(tmp_path / "mine.toml")
            seen["file"] = (tmp_path / "mine.toml").read_text()
        except ConfigurationError as error:
            seen["error"] = "".join(traceback.format_exception(error))
    seen["log"] = "".join(r.getMessage() for r in caplog.records if r.name == "rerank_core")

    assert shown_in(seen) == []


@pytest.mark.parametrize("planting", ["api key", "url parameter", "header"])
@pytest.mark.parametrize("mood", ["unauthorized-echo", "redirect-loop", "server-error"])
def test_no_error_shows_it(planting: str, mood: str) -> None:
    """It is sent, and the server quotes it; nothing of it is in the error or what hangs on it."""
    with Server(RerankAPI("vllm"), [FAULTS[mood]]) as server:
        preset = PLANTINGS[planting](server.url.removeprefix("http://"))
        with preset.reranker as reranker:
            reranker.warm_up()
            try:
                said = repr(reranker.rank("capital of Italy", DOCUMENTS, timeout=0.5).report)
            except RerankError as error:
                chain = [error, error.__cause__, error.__context__]
                said = "".join(f"{one!r} {vars(one) if one else ''}" for one in chain)
        sent = "".join(f"{request.headers} {request.path}" for request in server.requests)

    assert PLANTED in sent or QUOTED in sent
    assert shown_in({"error": said}) == []


def test_what_a_dict_left_out_is_asked_for_again() -> None:
    """A store with a password does not come back as one without."""
    stored = BM25Reranker(cache=f"redis://h:6379/0?password={QUOTED}", top_n=3).to_dict()

    with pytest.raises(ConfigurationError, match="cache could not be stored"):
        BM25Reranker.from_dict(json.loads(json.dumps(stored)))
    assert BM25Reranker.from_dict(stored, cache="memory").reranker.top_n == 3


@pytest.mark.parametrize(
    "line",
    [
        f'cache = "redis://h/0?password={QUOTED}"',
        f'scorer = "api:https://h/rerank?key={QUOTED}"',
        f'fallback = [{{use = "cohere", api_key = "{PLANTED}"}}]',
        f'[reranker.scorer]\nuse = "api:http://h"\nheaders = {{x-api-key = "{PLANTED}"}}',
    ],
)
def test_a_file_with_a_secret_is_refused(line: str, tmp_path: Path) -> None:
    """Wherever it stands in it, and without quoting it."""
    file = tmp_path / "mine.toml"
    file.write_text(f"[reranker]\n{line}\n")

    with pytest.raises(ConfigurationError, match="does not belong in a file") as caught:
        Reranker.from_config(file)
    assert shown_in({"error": str(caught.value)}) == []


def test_options_of_a_request_are_no_place_for_a_key() -> None:
    """They are shown, and name the scores in the cache: the error says where it belongs."""
    with pytest.raises(ConfigurationError, match="headers="):
        RerankAPIScorer("http://host", options={"user": {"api_key": PLANTED}})


def test_what_was_held_is_asked_for_after_a_pickle() -> None:
    """A header is not in the environment: the other side says what is missing, by its name."""
    scorer = RerankAPIScorer("http://host", headers={"x-api-key": PLANTED})

    with pytest.raises(ConfigurationError, match="x-api-key"):
        pickle.loads(pickle.dumps(scorer))
    assert held({"x-team": "search"}, "headers") == {"x-team": "search"}


# -- at the door -----------------------------------------------------------------------------------

MAKE: dict[str, tuple[str, Callable[[Any], object]]] = {
    "llm": ("OPENAI_API_KEY", lambda key: LLMScorer(api_key=key)),
    "embedding": ("OPENAI_API_KEY", lambda key: EmbeddingScorer(api_key=key)),
    "cohere": ("CO_API_KEY", lambda key: CohereScorer(api_key=key)),
    "api": ("JINA_API_KEY", lambda key: RerankAPIScorer("https://api.jina.ai", "m", api_key=key)),
}
ODD = {
    "curly quotes": "“abcdef123456”",
    "zero-width space": "abcdef\u200b123456",
    "line break": "abcdef\n123456",
    "carriage return": "abcdef\r\n123456",
    "byte order mark": "\ufeffabcdef123456",
    "letter": "abcdéf123456",
    "no-break space": "abcdef\u00a0123456",
    "NUL": "abcdef\x00123456",
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("part", MAKE)
@pytest.mark.parametrize("given", [True, False], ids=["given", "environment"])
def test_a_key_that_no_header_can_carry(
    part: str, odd: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is refused at the door, by the name of its option or variable, and is not shown."""
    variable, make = MAKE[part]
    if not given and "\x00" in ODD[odd]:
        pytest.skip("no environment can hold it")
    monkeypatch.delenv("CO_API_KEY", raising=False)
    monkeypatch.setenv(variable, "x" if given else ODD[odd])

    with pytest.raises(ConfigurationError, match="api_key" if given else variable) as caught:
        make(ODD[odd] if given else None)

    assert "U+" in str(caught.value)
    assert not any(half in repr(caught.value) for half in ("abcd", "3456"))


@pytest.mark.parametrize("around", ["{}\n", " {}", "\t{}\r\n", "{}\u00a0"])
def test_space_around_a_key_is_left_off(around: str) -> None:
    """Files and shells add it; no key begins or ends with one."""
    assert Secret(around.format("abc123"), ()).reveal() == "abc123"


def test_a_key_is_a_string() -> None:
    """Or a pydantic SecretStr, as LangChain holds keys."""
    pydantic = pytest.importorskip("pydantic")

    assert Secret(pydantic.SecretStr("abc123"), ()).reveal() == "abc123"
    with pytest.raises(ConfigurationError, match="api_key is a string, not bytes"):
        Secret(b"abc123", ())
