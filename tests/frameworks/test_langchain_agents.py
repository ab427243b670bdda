"""Agents of LangChain's `create_agent`: their tools' results, and their tools, reranked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("langchain.agents.middleware")

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, create_retriever_tool, tool
from langchain_core.vectorstores import InMemoryVectorStore
from letters import Letters
from pydantic import PrivateAttr

from langchain_rerank import BM25Reranker, rerank_tool
from langchain_rerank.agents import ToolRankMiddleware, ToolResultRerankMiddleware
from langchain_rerank.tool_results import results_of
from rerank_core import ConfigurationError, Ranking, Reranker

TEXTS = ["Oslo", "Paris,\n\nin two paragraphs", "Rome is the capital of Italy", "Bergen"]
DOCUMENTS = [Document(text, id=f"d{n}", metadata={"n": n}) for n, text in enumerate(TEXTS)]
QUERY = "capital of Italy"


class Asking(BaseChatModel):
    """A model that calls a tool once, then answers; it notes the tools that it was shown."""

    calls: tuple[str, dict[str, Any]] | None = None
    _shown: list[list[str]] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "asking"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self._shown.append([one.name if isinstance(one, BaseTool) else one for one in tools])
        return self

    def _generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatResult:
        if self.calls is None or isinstance(messages[-1], ToolMessage):
            reply = AIMessage("done")
        else:
            name, arguments = self.calls
            call = {"name": name, "args": arguments, "id": "1", "type": "tool_call"}
            reply = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=reply)])


Ask = Callable[..., list[Any]]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """The messages after a question to an agent."""

    def call(agent: Any, question: str = QUERY) -> list[Any]:
        said = {"messages": [HumanMessage(question)]}
        if request.param == "sync":
            return list(agent.invoke(said)["messages"])
        return list(asyncio.run(agent.ainvoke(said))["messages"])

    return call


def answered(messages: Sequence[Any]) -> ToolMessage:
    (found,) = (message for message in messages if isinstance(message, ToolMessage))
    return found


@tool(response_format="content_and_artifact")
def search(query: str) -> tuple[str, list[Document]]:
    """Search, as the documentation of LangChain writes such a tool."""
    said = (f"Source: {one.metadata}\nContent: {one.page_content}" for one in DOCUMENTS)
    return "\n\n".join(said), DOCUMENTS


@tool
def web(query: str, topic: str) -> list[dict[str, Any]]:
    """Search the web."""
    return [{"url": f"http://{n}", "content": text} for n, text in enumerate(TEXTS)]


@tool
def titles(about: str) -> list[str]:
    """List titles."""
    return TEXTS


@tool
def clock() -> str:
    """Tell the time."""
    return "[noon]"


@tool
def broken(query: str) -> str:
    """Fail."""
    raise ValueError("no")


@tool
def wrapped(query: str) -> dict[str, Any]:
    """Search, and answer with an object around the results."""
    return {"query": query, "results": [{"title": text, "snippet": text} for text in TEXTS]}


@tool
def page(query: str) -> str:
    """Answer with one long text."""
    return "Rome. " * 500


@tool
def pictures(query: str) -> list[dict[str, Any]]:
    """Find what has no text."""
    return [{"url": text} for text in TEXTS]


def agent(tools: Sequence[Any], calls: Any, *middleware: Any) -> Any:
    return create_agent(Asking(calls=calls), list(tools), middleware=list(middleware))


class TestWhatToolsReturn:
    def test_documents_with_what_the_tool_wrote_of_each(self, ask: Ask) -> None:
        """The best first, in the text that the model reads and in the artifact."""
        rerank = ToolResultRerankMiddleware("bm25", k=2)

        found = answered(ask(agent([search], ("search", {"query": QUERY}), rerank)))

        assert str(found.content).startswith(
            "Source: {'n': 2}\nContent: Rome is the capital of Italy\n\nSource: {'n': "
        )
        assert "relevance_score" not in found.content
        assert next(one.id for one in found.artifact) == "d2"
        assert len(found.artifact) == 2
        assert found.artifact[0].metadata["relevance_score"] > 0
        assert [one.metadata for one in DOCUMENTS] == [{"n": n} for n in range(4)]

    def test_a_retrievers_tool(self, ask: Ask) -> None:
        """One of LangChain's own, over a store."""
        store = InMemoryVectorStore(Letters())
        store.add_documents(DOCUMENTS)
        plain = create_retriever_tool(
            store.as_retriever(), "s", "searches", response_format="content_and_artifact"
        )
        rerank = ToolResultRerankMiddleware(BM25Reranker(top_n=1))

        found = answered(ask(agent([plain], ("s", {"query": QUERY}), rerank)))

        assert found.content == "Rome is the capital of Italy"

    def test_a_list_of_objects(self, ask: Ask) -> None:
        """They come back whole."""
        rerank = ToolResultRerankMiddleware("bm25", k=1)

        found = answered(ask(agent([web], ("web", {"query": QUERY, "topic": "x"}), rerank)))

        assert json.loads(str(found.content)) == [
            {"url": "http://2", "content": "Rome is the capital of Italy"}
        ]

    def test_a_list_of_texts(self, ask: Ask) -> None:
        """For the only text among the tool's arguments."""
        rerank = ToolResultRerankMiddleware("bm25", k=1)

        found = answered(ask(agent([titles], ("titles", {"about": "Bergen"}), rerank)))

        assert json.loads(str(found.content)) == ["Bergen"]

    def test_for_what_the_user_said(self, ask: Ask) -> None:
        """Where the named argument is not there."""
        rerank = ToolResultRerankMiddleware("bm25", k=1, query_argument="query")

        made = agent([titles], ("titles", {"about": "Bergen"}), rerank)

        assert json.loads(str(answered(ask(made, "Oslo")).content)) == ["Oslo"]

    def test_only_of_the_tools_that_are_named(self, ask: Ask) -> None:
        """The others' are as they were."""
        rerank = ToolResultRerankMiddleware("bm25", k=1, tools=["search"])

        found = answered(ask(agent([titles], ("titles", {"about": "Bergen"}), rerank)))

        assert json.loads(str(found.content)) == TEXTS

    def test_anything_else_is_as_it_was(self, ask: Ask) -> None:
        """A text that merely looks like a list."""
        rerank = ToolResultRerankMiddleware("bm25", k=1)

        assert answered(ask(agent([clock], ("clock", {}), rerank))).content == "[noon]"

    @pytest.mark.parametrize(
        ("asked", "shape"),
        [
            (wrapped, "an object with a list under 'results'"),
            (page, "one text of 3000 characters"),
            (pictures, "a list of which not everything has a text"),
        ],
        ids=lambda one: getattr(one, "name", ""),
    )
    def test_what_may_be_several_results_is_told_once(
        self, ask: Ask, asked: Any, shape: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With what could be reranked; it passes as it is."""
        made = agent([asked], (asked.name, {"query": QUERY}), ToolResultRerankMiddleware("bm25"))

        before = answered(ask(agent([asked], (asked.name, {"query": QUERY})))).content
        assert [answered(ask(made)).content for _ in range(2)] == [before] * 2

        assert caplog.text.count(f"what the tool {asked.name} answered is left as it is") == 1
        assert shape in caplog.text
        assert "a list of texts, or of objects with a text under page_content" in caplog.text

    def test_nothing_is_told_of_what_is_no_list(
        self, ask: Ask, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A short text, an error, a tool that was not meant."""
        ask(agent([clock], ("clock", {}), ToolResultRerankMiddleware("bm25")))
        ask(agent([page], ("page", {"query": "q"}), ToolResultRerankMiddleware(tools=["search"])))

        assert not caplog.messages

    def test_a_list_has_no_scores_to_miss(self, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
        """So the embedded default does not complain of it."""
        rerank = ToolResultRerankMiddleware("hybrid")
        found = answered(ask(agent([web], ("web", {"query": QUERY, "topic": "t"}), rerank)))

        assert json.loads(str(found.content))[0]["url"] == "http://2"
        assert not caplog.messages

    def test_an_error_stays_one(self) -> None:
        """It is no list of results."""
        message = ToolMessage("[1, 2]", tool_call_id="1", status="error")

        assert results_of(message) is None

    def test_an_outage_does_not_end_the_turn(self, ask: Ask) -> None:
        """The tool's order stands."""

        def down(query: str, texts: list[str]) -> list[float]:
            raise ConnectionError("down")

        made = agent([titles], ("titles", {"about": "x"}), ToolResultRerankMiddleware(down))

        assert json.loads(str(answered(ask(made)).content)) == TEXTS

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("[{n}]\n\n{text}", "[2]\n\nRome is the capital of Italy\n\n[0]\n\nOslo"),
            ("{text}\n\n({n})", "Rome is the capital of Italy\n\n(2)\n\nOslo\n\n(0)"),
            (
                "[{n}]\n\n{text}\n\n({n})",
                "[2]\n\nRome is the capital of Italy\n\n(2)\n\n[0]\n\nOslo\n\n(0)",
            ),
        ],
        ids=["before", "behind", "both"],
    )
    def test_a_paragraph_of_its_own_goes_with_its_document(
        self, written: str, expected: str
    ) -> None:
        """A title before each, a source behind each; never the neighbour's."""
        said = [written.format(n=n, text=text) for n, text in enumerate(TEXTS)]
        message = ToolMessage("\n\n".join(said), tool_call_id="1", artifact=DOCUMENTS)
        found = results_of(message)

        assert found is not None
        assert found.reordered([found.numbered()[2], found.numbered()[0]]).content == expected

    def test_a_paragraph_that_belongs_to_none(self) -> None:
        """A word in advance: the documents are written anew, so that it goes with none of them."""
        said = "\n\n".join(["4 results:", *TEXTS])
        found = results_of(ToolMessage(said, tool_call_id="1", artifact=DOCUMENTS))

        assert found is not None
        assert found.reordered([found.numbered()[0]]).content == "Oslo"

    def test_content_that_is_not_the_documents(self) -> None:
        """Is written anew from them."""
        message = ToolMessage("4 results", tool_call_id="1", artifact=DOCUMENTS)
        found = results_of(message)

        assert found is not None
        ranked = [found.numbered()[2], found.numbered()[0]]
        assert found.reordered(ranked).content == "Rome is the capital of Italy\n\nOslo"


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return "sun"


@tool
def send_mail(to: str) -> str:
    """Send a letter by electronic mail."""
    return "sent"


@tool
def book_flight(where: str) -> str:
    """Buy a ticket for an aeroplane."""
    return "booked"


TOOLS = [send_mail, book_flight, get_weather]


class TestWhichToolsTheModelSees:
    def shown(self, ask: Ask, question: str, *tools: Any, **options: Any) -> list[Any]:
        model = Asking()
        middleware = ToolRankMiddleware(**options)
        made = create_agent(model, [*(tools or TOOLS)], middleware=[middleware])
        assert ask(made, question)[-1].content == "done"
        return model._shown[-1]

    def test_the_best_first(self, ask: Ask) -> None:
        """By name and description."""
        shown = self.shown(ask, "what is the weather in Oslo?")

        assert shown[0] == "get_weather"
        assert set(shown) == {"get_weather", "send_mail", "book_flight"}

    def test_so_many(self, ask: Ask) -> None:
        """And those that are always there, and the provider's own."""
        server_side = {"type": "web_search"}
        shown = self.shown(
            ask,
            "what is the weather in Oslo?",
            *TOOLS,
            server_side,
            max_tools=1,
            always_include=["send_mail"],
        )

        assert shown == ["get_weather", "send_mail", server_side]

    def test_all_where_nothing_can_be_told(self, ask: Ask) -> None:
        """No word in common, a blank question, a scorer that is down or too late."""

        def down(query: str, texts: list[str]) -> list[float]:
            raise ConnectionError("down")

        everyone = ["send_mail", "book_flight", "get_weather"]
        assert self.shown(ask, "xyzzy", max_tools=1) == everyone
        assert self.shown(ask, " ", max_tools=1) == everyone
        assert self.shown(ask, "weather", max_tools=1, scorer=down) == everyone

    def test_that_all_are_shown_is_told_once(
        self, ask: Ask, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where fewer were asked for."""
        made = create_agent(Asking(), TOOLS, middleware=[ToolRankMiddleware(max_tools=2)])
        for _ in range(2):
            ask(made, "xyzzy")
        self.shown(ask, "xyzzy")
        self.shown(ask, "xyzzy", max_tools=3)

        (told,) = caplog.messages
        assert told.startswith("max_tools=2, and all 3 tools are shown: bm25 has no word for which")

    def test_the_deadline_holds(self, ask: Ask) -> None:
        """Then all stay, and whoever wants to know is told."""
        told: list[Ranking] = []

        async def slow(query: str, texts: list[str]) -> list[float]:
            await asyncio.sleep(30)
            return []

        shown = self.shown(
            ask, "weather", max_tools=1, scorer=slow, timeout=0.05, on_ranking=told.append
        )

        assert len(shown) == 3
        assert "timeout" in told[0].report.reasons

    def test_a_tool_that_was_called_stays(self, ask: Ask) -> None:
        """So that a conversation does not lose it on the way."""
        model = Asking(calls=("book_flight", {"where": "Oslo"}))
        made = create_agent(model, TOOLS, middleware=[ToolRankMiddleware(max_tools=2)])

        ask(made, "weather letter ticket aeroplane")

        assert "book_flight" in model._shown[-1]

    def test_a_reranker_of_ones_own(self, ask: Ask) -> None:
        """With its own options."""
        shown = self.shown(ask, "letter", scorer=Reranker("bm25", top_n=1))

        assert shown[0] == "send_mail"
        assert len(shown) == 3


def test_both_at_once_with_a_tool_of_ours(ask: Ask) -> None:
    """An agent with a search that is reranked."""
    store = InMemoryVectorStore(Letters())
    store.add_documents(DOCUMENTS)
    ours = rerank_tool(store, "bm25", k=1, name="docs", description="Searches documents.")
    model = Asking(calls=("docs", {"query": QUERY}))
    made = create_agent(
        model,
        [*TOOLS, ours],
        middleware=[ToolRankMiddleware(max_tools=1), ToolResultRerankMiddleware("bm25")],
    )

    found = ask(made, "search the documents")

    assert answered(found).content == "Rome is the capital of Italy"
    assert model._shown[0] == ["docs"]


def test_wrong_options_are_refused() -> None:
    """At construction."""
    for make, said in (
        (lambda: ToolRankMiddleware(max_tools=0), "max_tools is 0"),
        (lambda: ToolRankMiddleware(always_include="send_mail"), "always_include is a list"),
        (lambda: ToolRankMiddleware(timeout=-1), "timeout"),
        (lambda: ToolResultRerankMiddleware(tools="search"), "tools is a list of names"),
        (lambda: ToolResultRerankMiddleware(k=0), "k is 0"),
        (
            lambda: ToolResultRerankMiddleware("hybrid", timeout=1),
            r'timeout is the reranker\'s: \w+Middleware\(Reranker\("hybrid", timeout=…\)\)',
        ),
        (lambda: ToolResultRerankMiddleware("hybrid", top_n=1), "here k= says how many"),
        (lambda: ToolResultRerankMiddleware(tool=["s"]), "'tool': did you mean tools"),
        (lambda: ToolRankMiddleware("bm25", cache="memory"), r'Reranker\("bm25", cache=…\)\)'),
        (lambda: ToolRankMiddleware("bm25", top_k=1), "here max_tools= says how many"),
        (lambda: ToolRankMiddleware(Reranker("bm25"), timeout=1), "options of a Reranker's own"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            make()  # type: ignore[no-untyped-call]


def test_without_langchain_it_says_what_to_install() -> None:
    """The rest of the package works without it."""
    code = """
        import sys
        sys.modules["langchain"] = None
        import langchain_rerank
        try:
            import langchain_rerank.agents
        except ImportError as error:
            assert "pip install 'langchain>=1'" in str(error), error
        else:
            raise AssertionError
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)
