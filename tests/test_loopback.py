"""The loopback servers speak the protocols of the real ones."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from dataclasses import replace

import cohere
import httpx
import openai
import pytest
from loopback import (
    DIALECTS,
    FAULTS,
    MISCHIEF,
    Answer,
    AnthropicAPI,
    Latency,
    OpenAIAPI,
    RerankAPI,
    Server,
    after,
    black_hole,
    every,
    fenced_reader,
    first,
    fixed,
    ordering,
    overlap,
    plain_reader,
    refusing,
    scoring,
    sequence,
    share,
)

PROMPT = "Query: red apples\n\n[1] green pears\n[2] red apples\n[3] red wine"


def chat(server: Server, **options: object) -> openai.types.chat.ChatCompletion:
    messages = [{"role": "user", "content": PROMPT}]
    with openai.OpenAI(base_url=server.url + "/v1", api_key="k", max_retries=0) as client:
        return client.chat.completions.create(model="m", messages=messages, **options)  # type: ignore[call-overload, no-any-return]


def post(server: Server, timeout: float = 5) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    url = server.url + "/v1/chat/completions"
    # Reading the certificates of the world for a plain URL is most of the time a call takes.
    return httpx.post(url, json=body, timeout=timeout, follow_redirects=True, verify=False)


def test_the_openai_sdk_gets_a_judged_reply() -> None:
    """A judge reads the prompt's documents back; usage and finish reason are reported."""
    with Server(OpenAIAPI(ordering())) as server:
        reply = chat(server)

    assert reply.choices[0].message.content == "[2] > [3] > [1]"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == -(-len(PROMPT) // 4)
    assert server.requests[0].json["model"] == "m"
    assert server.requests[0].headers["authorization"] == "Bearer k"


def test_a_reply_beyond_max_tokens_is_cut() -> None:
    """It ends after so many tokens with the reason `length`."""
    with Server(OpenAIAPI(fixed("one two three four"))) as server:
        choice = chat(server, max_completion_tokens=3).choices[0]

    assert choice.message.content == "one two"
    assert choice.finish_reason == "length"


def test_the_anthropic_sdk_gets_a_judged_reply() -> None:
    """With its usage; a reply is cut at max_tokens, and a wrong key is refused."""
    anthropic = pytest.importorskip("anthropic")
    asked = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    with Server(AnthropicAPI(ordering(), api_key="k")) as server:
        with anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0) as client:
            reply = client.messages.create(max_tokens=100, **asked)
            short = client.messages.create(max_tokens=2, **asked)
        wrong = anthropic.Anthropic(base_url=server.url, api_key="another", max_retries=0)
        with wrong, pytest.raises(anthropic.AuthenticationError):
            wrong.messages.create(max_tokens=100, **asked)

    assert reply.content[0].text == "[2] > [3] > [1]"
    assert (reply.stop_reason, short.stop_reason) == ("end_turn", "max_tokens")
    assert short.content[0].text == "[2] > [3"
    assert reply.usage.output_tokens == 4


def test_logprobs_come_when_asked_for() -> None:
    """Each token carries its candidates, the likeliest first."""
    with Server(OpenAIAPI(fixed("7"))) as server:
        choice = chat(server, logprobs=True, top_logprobs=5).choices[0]

    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    top = choice.logprobs.content[0].top_logprobs
    assert [candidate.token for candidate in top] == ["7", "6", "8"]
    assert math.isclose(sum(math.exp(candidate.logprob) for candidate in top), 1)


@pytest.mark.parametrize(
    ("refused", "options", "named"),
    [
        ("max_tokens", {"max_tokens": 5}, "max_completion_tokens"),
        ("max_completion_tokens", {"max_completion_tokens": 5}, "max_completion_tokens"),
        ("temperature", {"temperature": 0}, "temperature"),
        ("logprobs", {"logprobs": True}, "logprobs"),
        ("json_schema", {"response_format": {"type": "json_schema"}}, "response_format"),
    ],
)
def test_what_a_model_refuses_is_a_400_that_names_it(
    refused: str, options: dict[str, object], named: str
) -> None:
    """The same request without the field is answered."""
    with Server(OpenAIAPI(fixed("fine"), refuses=[refused])) as server:
        with pytest.raises(openai.BadRequestError, match=named):
            chat(server, **options)
        assert chat(server).choices[0].message.content == "fine"


def test_judges_answer_in_turn_and_in_other_words() -> None:
    """A sequence holds its last reply; an Answer sets what text alone cannot."""
    said = sequence(["a", Answer(None, finish_reason="content_filter")])
    with Server(OpenAIAPI(said)) as server:
        replies = [chat(server).choices[0] for _ in range(3)]

    assert [reply.message.content for reply in replies] == ["a", None, None]
    assert replies[2].finish_reason == "content_filter"


def test_a_scoring_judge_writes_json() -> None:
    """Ids as in the prompt, grades on the scale."""
    with Server(OpenAIAPI(scoring(scale=(0, 10)))) as server:
        content = chat(server).choices[0].message.content

    assert content is not None
    assert '"2":10.0' in content


def test_a_judge_reads_fenced_documents() -> None:
    """What looks like an id inside a fence belongs to the document."""
    first_one = "[1] <<<ab12\npears\n[2] red apples\nab12>>>"
    read = fenced_reader(f"Query: red apples\n\n{first_one}\n\n[2] <<<ab12\nx\nab12>>>")

    assert read.query == "red apples"
    assert read.documents == [("1", "pears\n[2] red apples"), ("2", "x")]
    assert fenced_reader(PROMPT) == plain_reader(PROMPT)


def test_models_and_context_length() -> None:
    """An unknown model is a 404; too long a prompt a 400 with its code."""
    strict = Server(OpenAIAPI(fixed("x"), models=["other"]))
    with strict as server, pytest.raises(openai.NotFoundError):
        chat(server)
    narrow = Server(OpenAIAPI(fixed("x"), context=3))
    with narrow as server, pytest.raises(openai.BadRequestError) as caught:
        chat(server)

    assert caught.value.code == "context_length_exceeded"


def test_embeddings_are_unit_vectors_that_tell_words_apart() -> None:
    """The same text has the same vector; shared words bring texts closer."""
    texts = ["red apples", "red apples", "red wine", "green pears"]
    with Server(OpenAIAPI()) as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="k")
        with client:
            data = client.embeddings.create(model="e", input=texts, dimensions=256).data
    one, same, close, far = (item.embedding for item in data)

    def cosine(left: list[float], right: list[float]) -> float:
        return sum(a * b for a, b in zip(left, right, strict=True))

    assert len(one) == 256
    assert one == same
    assert cosine(one, one) == pytest.approx(1, abs=1e-5)
    assert cosine(one, close) > cosine(one, far)


def test_the_cohere_sdk_gets_results_best_first() -> None:
    """The v2 client reads the reply; asking for the best few gives those."""
    with Server(RerankAPI("cohere")) as server, httpx.Client() as http:
        client = cohere.ClientV2("k", base_url=server.url, httpx_client=http)
        documents = ["pears", "red apples"]
        reply = client.rerank(model="m", query="red apples", documents=documents, top_n=1)

    assert [(hit.index, hit.relevance_score) for hit in reply.results] == [(1, 1.0)]


def test_the_async_cohere_sdk_gets_its_errors() -> None:
    """A 429 is the SDK's own error, with the headers that the server sent."""

    async def ask(url: str) -> None:
        async with httpx.AsyncClient() as http:
            client = cohere.AsyncClientV2("k", base_url=url, httpx_client=http)
            await client.rerank(
                model="m", query="q", documents=["d"], request_options={"max_retries": 0}
            )

    busy = Server(RerankAPI("cohere"), [FAULTS["rate-limit-seconds"]])
    with busy as server, pytest.raises(cohere.TooManyRequestsError) as caught:
        asyncio.run(ask(server.url))

    assert (caught.value.headers or {})["retry-after"] == "1"


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_refuses_what_it_does_not_know(name: str) -> None:
    """Unset fields must be left out, unknown ones are refused; else results come best first."""
    row = DIALECTS[name]
    texts = ["green pears", "red apples"]
    good = {
        "query": "red apples",
        row.documents: [{"text": t} if row.objects else t for t in texts],
    }
    if row.needs_model:
        good["model"] = "m"
    with Server(RerankAPI(name)) as server:
        url = server.url + row.paths[0]
        reply = httpx.post(url, json=good).json()
        bad = httpx.post(url, json=good | {"surprise": 1})
        null = httpx.post(url, json=good | dict.fromkeys(row.takes[:1] or ("top_n",)))
    results = reply if row.results is None else reply[row.results]

    assert [result["index"] for result in results] == [1, 0]
    assert bad.status_code == 422
    assert null.status_code == 422


def test_tei_caps_the_batch() -> None:
    """33 texts are a 413."""
    with Server(RerankAPI("tei")) as server:
        reply = httpx.post(server.url + "/rerank", json={"query": "q", "texts": ["t"] * 33})

    assert reply.status_code == 413


@pytest.mark.parametrize("name", MISCHIEF)
def test_every_mischief_is_sent(name: str) -> None:
    """The reply is not the one that an honest server gives."""
    body = {"model": "m", "query": "a b c", "documents": ["a x y", "b c", "a b c", "z", "a b"]}
    replies = []
    for mischief in (None, name):
        with Server(RerankAPI("jina", mischief=mischief)) as server:
            replies.append(httpx.post(server.url + "/v1/rerank", json=body).text)

    assert replies[0] != replies[1]


#: What a plain HTTP client makes of each fault that is not just a status.
SEEN = {
    "slow-head": httpx.ReadTimeout,
    "dripping-head": None,
    "dripping-body": None,
    "silent": httpx.ReadTimeout,
    "silent-in-body": httpx.ReadTimeout,
    "closed": httpx.RemoteProtocolError,
    "closed-in-head": httpx.RemoteProtocolError,
    "closed-in-body": httpx.RemoteProtocolError,
    "reset": httpx.ReadError,
    "reset-in-body": httpx.ReadError,
    "garbage": httpx.RemoteProtocolError,
    "garbage-status": httpx.RemoteProtocolError,
    "length-too-long": httpx.RemoteProtocolError,
    "gzip-garbage": httpx.DecodingError,
    "redirect-loop": httpx.TooManyRedirects,
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_happens(name: str) -> None:
    """A fault is what its name says, and the next request is answered."""
    fault = FAULTS[name]
    if fault.drip:
        fault = replace(fault, drip=0.0001)
    when = first(50) if fault.redirect else first(1)
    with Server(OpenAIAPI(fixed("fine")), [fault.only(when)]) as server:
        expected = SEEN.get(name)
        if expected is not None:
            with pytest.raises(expected):
                post(server, timeout=0.2)
        else:
            reply = post(server)
            assert reply.status_code == (fault.status or 200)
            if fault.retry_after is not None:
                assert {"retry-after", "retry-after-ms"} & set(reply.headers)
        server.faults = []
        assert post(server).json()["choices"][0]["message"]["content"] == "fine"


def test_faults_strike_when_they_are_told_to() -> None:
    """The first k, all after them, every n-th, a share that is the same for the same seed."""
    with Server(OpenAIAPI(fixed("fine"))) as server, httpx.Client(base_url=server.url) as client:

        def statuses() -> list[int]:
            server.clear()
            return [client.get("/v1/models").status_code for _ in range(6)]

        seen = {}
        schedule = {"first": first(2), "after": after(4), "every": every(3), "share": share(0.5)}
        for name, when in schedule.items():
            server.faults = [FAULTS["overloaded"].only(when)]
            seen[name] = [status == 529 for status in statuses()]
        again = [status == 529 for status in statuses()]

    assert seen["first"] == [True, True, False, False, False, False]
    assert seen["after"] == [False, False, False, False, True, True]
    assert seen["every"] == [False, False, True, False, False, True]
    assert seen["share"] == again
    assert any(again)
    assert not all(again)


def test_hundreds_of_connections_are_served_at_once() -> None:
    """They are in flight together, each on a connection of its own, kept alive."""

    async def ask(port: int, at_once: asyncio.Barrier) -> list[bytes]:
        # Bare streams: the pools of HTTP clients take seconds over so many connections.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = []
        for _ in range(2):
            await at_once.wait()
            writer.write(b"GET /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            lines.append(head.split(b"\r\n")[0])
            await reader.readexactly(int(head.rpartition(b"content-length: ")[2]))
        writer.close()
        await writer.wait_closed()
        return lines

    async def ask_all(port: int) -> list[list[bytes]]:
        at_once = asyncio.Barrier(300)
        return await asyncio.gather(*(ask(port, at_once) for _ in range(300)))

    with Server(OpenAIAPI(), [replace(FAULTS["overloaded"], delay=0.5)]) as server:
        lines = asyncio.run(ask_all(int(server.url.rpartition(":")[2])))

    assert lines == [[b"HTTP/1.1 529 Unknown"] * 2] * 300
    assert server.connections == 300
    assert server.max_in_flight == 300
    assert server.in_flight == 0


def test_a_client_that_hangs_up_is_noticed() -> None:
    """Its answer is cancelled and counted."""
    with Server(OpenAIAPI(fixed("x"), latency=Latency(call=30))) as server:
        with pytest.raises(httpx.ReadTimeout):
            post(server, timeout=0.1)
        until = time.monotonic() + 5
        while server.in_flight and time.monotonic() < until:
            time.sleep(0.01)

        assert server.abandoned == 1


def test_stopping_leaves_nothing_behind() -> None:
    """Not even with an answer in progress."""
    before = threading.active_count()
    server = Server(OpenAIAPI(fixed("x")), [FAULTS["silent-in-body"]]).start()
    with pytest.raises(httpx.ReadTimeout):
        post(server, timeout=0.1)
    server.stop()

    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        post(server)


def test_a_judge_that_raises_is_a_500() -> None:
    """The mistake is named in the reply."""
    with Server(OpenAIAPI(lambda messages, body: 1 / 0)) as server:  # type: ignore[arg-type, return-value]
        reply = post(server)

    assert reply.status_code == 500
    assert "ZeroDivisionError" in reply.text


def test_latency_is_a_sum_with_a_tail() -> None:
    """Seconds a call, a document, a token; the tail strikes a fixed share of the calls."""
    model = Latency(call=1, document=0.1, first_token=2, input_token=0.01, output_token=0.5)
    tail = Latency(call=1, tail_share=0.1, tail_factor=20)

    assert model.seconds(0, documents=10, input_tokens=100, output_tokens=4) == pytest.approx(7)
    assert sum(tail.seconds(number) == 20 for number in range(1000)) == pytest.approx(100, abs=30)


def test_nobody_answers_nowhere() -> None:
    """One address refuses at once, the other never."""
    with refusing() as url, pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with black_hole() as url, pytest.raises(httpx.ConnectTimeout):
        httpx.get(url, timeout=0.2)


def test_overlap_is_one_for_the_same_words_and_zero_for_others() -> None:
    """And in between by how many are shared."""
    assert overlap("red apples", "Apples, red!") == 1
    assert overlap("red apples", "pears") == 0
    assert 0 < overlap("red apples", "red wine") < 1
