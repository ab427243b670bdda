"""Who is told of the calls that our own chat client makes: a framework's callbacks, a tracer.

    with observing(observer):  # or, around arank: async with aobserving(observer)
        ranking = reranker.rank(query, documents)

The observer is the user's, so it is told where the user's own is called: from the sync face in a
thread, from the async one on the caller's loop; in order, one thing at a time. No call waits for
it, and what it raises is logged. When the block ends every call has ended for the observer, also
one that was given up at the deadline; what is asked later is not told.

Nothing else of the core looks at this, and where nobody observes it costs a look at a variable.
"""

from __future__ import annotations

import asyncio
import inspect
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import Reason, ScorerError
from ..protocols import Reply
from ..runtime.context import carrying, current
from .log import log
from .tracing import chat_span

#: How long the end of the block waits for an observer to catch up, in seconds.
OBSERVER_TIMEOUT = 0.25

# An observer that is slower than that goes on being told, and its task must be held until then.
_late: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True, eq=False)
class ChatCall:
    """One call as it is sent, but for the key. Each is equal to itself alone."""

    #: Whose protocol it is, as OpenTelemetry and LangChain call it: "openai".
    provider: str
    model: str
    #: By role and content.
    messages: Sequence[Mapping[str, str]]
    #: What else is in the request, such as a temperature.
    parameters: Mapping[str, Any]


class ChatObserver(Protocol):
    """Is told of every call as it leaves, and of how it came back.

    Each method may be a coroutine function where the block is an `async with`.
    """

    def started(self, call: ChatCall) -> Any:
        """What this returns is handed to one of the other two as `run`."""
        ...

    def ended(self, call: ChatCall, run: Any, reply: Reply) -> Any:
        """It was answered."""
        ...

    def failed(self, call: ChatCall, run: Any, error: ScorerError) -> Any:
        """It was refused, lost or given up."""
        ...


@contextmanager
def observing(observer: ChatObserver) -> Iterator[None]:
    """Tell the observer of the chat calls of the rankings in this block.

    One that `makes_spans` brings them to OpenTelemetry: then there are none of ours.
    """
    observation = _InThread(observer)
    try:
        with carrying(observation=observation):
            yield
    finally:
        observation.close()
        observation.wait()


@asynccontextmanager
async def aobserving(observer: ChatObserver) -> AsyncIterator[None]:
    """Same, around what is awaited."""
    observation = _OnLoop(observer)
    try:
        with carrying(observation=observation):
            yield
    finally:
        observation.close()
        await observation.wait()


def unobserved() -> AbstractContextManager[None]:
    """Nobody is told of what happens in this block: it is done on the side."""
    return carrying(observation=None, told=False)


@contextmanager
def chat_call(
    provider: str, model: str, request: Mapping[str, Any]
) -> Iterator[Callable[[Reply], None]]:
    """Around one call of a chat client, whose reply goes to what this hands over.

    `request` is the body that is sent. An error that leaves the block is how the call ended.
    """
    observation: _Observation | None = current().observation
    if observation is None:
        with chat_span(provider, model, request) as hears:
            yield hears
        return
    traced = nullcontext() if observation.makes_spans else chat_span(provider, model, request)
    parameters = {name: request[name] for name in request if name not in ("model", "messages")}
    call = ChatCall(provider, model, request["messages"], parameters)
    observation.start(call)

    def told(reply: Reply) -> None:
        observation.finish(call, reply)
        if answered is not None:
            answered(reply)

    try:
        with traced as answered:
            yield told
    except BaseException as error:
        observation.finish(call, _as_told(error))
        raise


def _as_told(error: BaseException) -> ScorerError:
    if isinstance(error, ScorerError):
        return error
    if not isinstance(error, Exception):
        return _given_up()
    from ..remote.http_errors import from_foreign  # for what fails only

    # a client's own error may carry the request, and the key with it
    return from_foreign(error)


def _given_up() -> ScorerError:
    return ScorerError(
        "given up: the deadline struck, or nobody waits for the answer any more",
        reason=Reason.TIMEOUT,
    )


#: What became of a call; None while it is under way.
_News = tuple[ChatCall, Reply | ScorerError | None]


class _Observation(ABC):
    """What one observer is told: started and then ended, for every call, from any thread."""

    def __init__(self, observer: ChatObserver) -> None:
        self._observer = observer
        self.makes_spans: bool = getattr(observer, "makes_spans", False)
        self._lock = threading.Lock()
        self._over = False
        self._open: dict[ChatCall, None] = {}  # a set that keeps its order
        #: What the observer calls the calls it has heard of. Used by who tells it alone.
        self._runs: dict[ChatCall, Any] = {}

    def start(self, call: ChatCall) -> None:
        with self._lock:
            if not self._over:
                self._open[call] = None
                self._send((call, None))

    def finish(self, call: ChatCall, outcome: Reply | ScorerError) -> None:
        with self._lock:
            if call in self._open:
                del self._open[call]
                self._send((call, outcome))

    def close(self) -> None:
        with self._lock:
            self._over = True
            for call in self._open:
                self._send((call, _given_up()))
            self._open = {}
            self._send(None)

    @abstractmethod
    def _send(self, news: _News | None) -> None:
        """Hand it to who tells the observer, at once; None is the last."""

    async def _tell(self, news: _News) -> None:
        call, outcome = news
        try:
            if outcome is None:
                self._runs[call] = await _result(self._observer.started(call))
            elif call not in self._runs:
                return  # it raised when the call started
            elif isinstance(outcome, Reply):
                await _result(self._observer.ended(call, self._runs.pop(call), outcome))
            else:
                await _result(self._observer.failed(call, self._runs.pop(call), outcome))
        except Exception:
            log.exception("an observer of chat calls raised; the ranking is unharmed")


async def _result(given: Any) -> Any:
    return await given if inspect.isawaitable(given) else given


class _InThread(_Observation):
    """Tells it in a thread, which is there from the first call on."""

    def __init__(self, observer: ChatObserver) -> None:
        super().__init__(observer)
        self._inbox: queue.SimpleQueue[_News | None] = queue.SimpleQueue()
        self._context = copy_context()
        self._thread: threading.Thread | None = None

    def _send(self, news: _News | None) -> None:
        if self._thread is None:
            if news is None:
                return
            self._thread = threading.Thread(
                target=self._context.run, args=(self._deliver,), name="rerank-observer", daemon=True
            )
            self._thread.start()
        self._inbox.put(news)

    def _deliver(self) -> None:
        while (news := self._inbox.get()) is not None:
            with suppress(StopIteration):  # it never waits here: one step is all of it
                self._tell(news).send(None)

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join(OBSERVER_TIMEOUT)
            if self._thread.is_alive():
                _warn()


class _OnLoop(_Observation):
    """Tells it on the loop at hand."""

    def __init__(self, observer: ChatObserver) -> None:
        super().__init__(observer)
        self._inbox: asyncio.Queue[_News | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._deliver())

    def _send(self, news: _News | None) -> None:
        with suppress(RuntimeError):  # the loop has closed: there is nobody to be told
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, news)

    async def _deliver(self) -> None:
        while (news := await self._inbox.get()) is not None:
            await self._tell(news)

    async def wait(self) -> None:
        _late.add(self._task)
        self._task.add_done_callback(_late.discard)
        await asyncio.wait({self._task}, timeout=OBSERVER_TIMEOUT)
        if not self._task.done():
            _warn()


def _warn() -> None:
    log.warning(
        "an observer of chat calls is behind by more than %g s; nobody waits", OBSERVER_TIMEOUT
    )
