"""A cross-encoder of the user's own: LangChain's `BaseCrossEncoder`, or sentence-transformers'."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ConfigurationError, ScorerError
from ...remote.foreign_errors import foreign_errors
from ...runtime.threads import Stop
from ...text.utf8 import as_utf8
from .limit import Limit, record_cut


class OwnCrossEncoder:
    """Asks it for pairs, some at once, by one caller at a time. Its scores are what it says."""

    in_threads = False

    def __init__(self, model: Any) -> None:
        self.model = model
        told_by = _told_by(model)
        #: Whether it computes on a processor, where company gains nothing and cannot be left.
        self.on_cpu = getattr(getattr(told_by, "device", None), "type", None) == "cpu"
        self._lock = threading.Lock()
        #: Of what it does not read to the end, where it is, or holds, one that tells.
        self._limit = Limit(told_by)

    def __call__(self) -> OwnCrossEncoder:
        """Itself: it is loaded."""
        return self

    def logits(
        self, query: str, texts: Sequence[str], instruction: str | None, pairs: int, *, stop: Stop
    ) -> list[float]:
        """Its scores. Raises `ScorerError` for what it raises, or another number of them."""
        ask = getattr(self.model, _asked_by(self.model) or "score")
        query = as_utf8(query)
        scores: list[float] = []
        cut = 0
        for start in range(0, len(texts), pairs):
            if stop():
                break
            shown = [(query, as_utf8(text)) for text in texts[start : start + pairs]]
            with self._lock, foreign_errors():
                found = [float(score) for score in ask(shown)]
            if len(found) != len(shown):
                raise ScorerError(f"the model gave {len(found)} scores for {len(shown)} pairs")
            scores += found
            cut += sum(self._limit.cut(query, [text for _, text in shown]))
        record_cut(cut)
        return scores + [0.0] * (len(texts) - len(scores))  # nobody waits for them any more

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["model"])  # type: ignore[misc]


def own_cross_encoder(model: Any, options: Mapping[str, Any]) -> OwnCrossEncoder:
    """The model, ready to be asked. `options`: those of a model by name, as they were given.

    Raises `ConfigurationError` for what is no cross-encoder, and for an option.
    """
    if isinstance(model, type) or _asked_by(model) is None:
        raise ConfigurationError(
            "model is a name or a folder, a LangChain BaseCrossEncoder, or a CrossEncoder of "
            f"sentence-transformers, not {model!r:.80}"
        )
    if given := [name for name, value in options.items() if value]:
        raise ConfigurationError(
            f"{', '.join(given)}: for a model by name; set them on the {type(model).__name__}"
        )
    return OwnCrossEncoder(model)


def _told_by(model: Any) -> Any:
    """The cross-encoder of sentence-transformers that it is, or that LangChain's holds."""
    return model if hasattr(model, "tokenizer") else getattr(model, "client", None)


def _asked_by(model: Any) -> str | None:
    """The name of its method for pairs."""
    return next(
        (name for name in ("score", "predict") if callable(getattr(model, name, None))), None
    )
