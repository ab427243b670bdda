"""What the scorers that run a model in this process have in common."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable
from weakref import WeakValueDictionary

from ...errors import ConfigurationError
from ...protocols import Scores
from ...runtime.fork import after_fork
from ...runtime.numbers import finite
from ...runtime.threads import Stop, check, run

M = TypeVar("M")

_loaded: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
_locks: dict[Hashable, threading.Lock] = {}
_lock = threading.Lock()
_settled = threading.local()


@after_fork
def _after_fork() -> None:
    # Models stay usable, but a lock that another thread held is held here for ever.
    global _lock
    _lock = threading.Lock()
    _locks.clear()
    for model in list(_loaded.values()):
        if hasattr(model, "lock"):
            model.lock = threading.Lock()


class Shared(Generic[M]):
    """A model that is loaded once, by whoever asks first, and shared by all who ask with this key.

    It goes when the last of them goes. Pickles as not loaded.
    """

    def __init__(self, key: Hashable, load: Callable[[], M]) -> None:
        self._key, self._load = key, load
        #: None as long as this one has not asked for it.
        self.model: M | None = None

    async def get(self) -> M:
        """The model; loading it takes a thread and keeps no loop waiting."""
        return self.model if self.model is not None else await run(self._get)

    def _get(self, *, stop: Stop) -> M:
        # Loaded to the end even if the one who asked has gone: the next one will want it.
        with _lock:
            lock = _locks.setdefault(self._key, threading.Lock())
        with lock:
            model: M | None = _loaded.get(self._key)
            if model is None:
                model = self._load()
                _loaded[self._key] = model
            self.model = model
        return model

    def drop(self) -> None:
        """Let go of it."""
        self.model = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "model": None}


class PairScores(NamedTuple):
    """The scores of pairs, and of which the text was cut."""

    scores: Scores
    truncated: Sequence[bool]


@runtime_checkable
class SharesPasses(Protocol):
    """A scorer that can score pairs of any queries in one pass through its model."""

    @property
    def shares_passes(self) -> bool:
        """Whether a pair's score is the same whatever stands beside it."""
        ...

    async def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> PairScores:
        """One score for each (query, text), all in one pass."""
        ...


def interruptible(encoder: Any) -> None:
    """Let a torch model give up between two layers when nobody waits for it any more.

    One pass of a large model takes seconds. In threads that are not ours it changes nothing.
    """
    import torch

    for module in encoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(_give_up)


def _give_up(module: Any, inputs: Any) -> None:
    check()


def torch_in_this_thread(*, share: int) -> None:
    """Have torch compute with one in `share` of its threads from here on, in this thread alone.

    Threads of others keep what they have.
    """
    if getattr(_settled, "share", 1) == share:
        return
    import torch

    with _lock:
        usual = getattr(_settled, "usual", None) or torch.get_num_threads()
        torch.set_num_threads(max(1, usual // share))
        # That holds for this thread, but is also what threads yet to come begin with, the user's
        # own among them: one that comes and goes puts it back.
        passing = threading.Thread(target=torch.set_num_threads, args=(usual,))
        passing.start()
        passing.join()
    _settled.share, _settled.usual = share, usual


def scores_from(logits: Sequence[float], activation: Callable[[float], float]) -> Scores:
    """Logits through the activation; one that is no finite number is missing."""
    raw = [finite(logit) for logit in logits]
    return Scores([None if logit is None else activation(logit) for logit in raw], raw)


def one_logit(logits: list[float], model: str) -> float:
    """The relevance logit of one text: of a single label, or the log-odds of yes over no.

    Raises `ConfigurationError` for a model with more labels: it classifies, and does not rank.
    """
    if len(logits) == 1:
        return logits[0]
    if len(logits) == 2:  # (no, yes), as monoBERT has them
        return logits[1] - logits[0]
    raise ConfigurationError(
        f"{model} gives {len(logits)} labels a pair: it classifies and does not rank; "
        "name a reranker, which gives one (or two: no and yes)"
    )


def model_named(model: str | os.PathLike[str]) -> str:
    """The model's name, or its folder, `~` spelled out, which no loader does.

    Raises `ConfigurationError` for a folder that is not there, which the hub would be asked for,
    several times.
    """
    name = os.fspath(model)
    path = Path(name).expanduser()
    meant = (
        not isinstance(model, str)
        or name.startswith((".", "~", os.sep))
        or name.endswith(("/", os.sep))
        or name.count("/") > 1
        or (len(path.parts) == 2 and path.parent.is_dir())
    )
    if meant and not path.exists():
        raise ConfigurationError(f"there is no folder {name}: name one, or a model on the hub")
    return str(path) if name.startswith("~") else name


def cannot_fetch(model: str, error: Exception) -> ConfigurationError:
    """Why a model cannot be had, and what to do about it, from what the loader raised.

    By the names of the errors along the chain of causes, as the hub's own classes are wrapped by
    `OSError` and have moved between versions.
    """
    names: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:
        names |= {kind.__name__ for kind in type(cause).__mro__}
        cause = cause.__cause__ or cause.__context__
    if "GatedRepoError" in names:
        hint = f"it is gated: accept its terms at https://huggingface.co/{model} and set HF_TOKEN"
    elif names & {"RepositoryNotFoundError", "HFValidationError", "RevisionNotFoundError"}:
        hint = "no such model on the hub: check its name and revision; a private one needs HF_TOKEN"
    elif names & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectionError"} or (
        "ConnectError" in names
    ):
        hint = (
            "the hub cannot be reached and it is not in the local cache: fetch it once while "
            f"online (`hf download {model}`), or pass the path of a local folder"
        )
    else:
        hint = f"{type(error).__name__}: {error}"
    return ConfigurationError(f"cannot load {model!r}: {hint}")
