"""How a student is taught."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ..errors import ConfigurationError
from ..runtime.checks import one_of

Loss = Literal["listwise", "margin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of the training, and of the draw before it. Each is checked; see `ConfigurationError`.

    `loss`: "listwise" learns the teacher's order, its top most (LambdaLoss, Wang et al., CIKM
    2018), whatever the scale of the scores; "margin" learns how far apart they are (MarginMSE,
    Hofstätter et al., arXiv:2010.02666), for teachers whose distances mean something.

    `documents` of each query are learned from: the teacher's best half, and of the others those
    that the retriever had highest, which are the hard ones. `batch` queries a step, `epochs` times
    over all, at most `steps` steps. `learning_rate` at its highest, after a tenth of the steps.
    `max_length`: tokens of a pair. After each half of an epoch (or `every` steps) the loss on the
    stopping queries is looked at; it stops where that got no better `patience` times, and the best
    is kept.

    `held_out`: the share of the judged queries (0..1) that nothing is learned from, to measure on.
    `stopping`: the share of the others that say when to stop. `seed`: of all draws.
    """

    loss: Loss = "listwise"
    documents: int = 8
    batch: int = 4
    epochs: int = 3
    steps: int | None = None
    every: int | None = None
    patience: int = 3
    learning_rate: float = 3e-5
    max_length: int = 256
    held_out: float = 0.3
    stopping: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("loss", self.loss, get_args(Loss))
        least = {"documents": 2, "batch": 1, "epochs": 1, "patience": 1, "max_length": 8}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ConfigurationError(f"{name} is at least {value}, not {getattr(self, name)}")
        for name in ("steps", "every"):
            if (given := getattr(self, name)) is not None and given < 1:
                raise ConfigurationError(f"{name} is at least 1, not {given}")
        if not 0 < self.learning_rate < 1:
            raise ConfigurationError(f"learning_rate is above 0, as 3e-5, not {self.learning_rate}")
        for name in ("held_out", "stopping"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigurationError(
                    f"{name} is a share between 0 and 1, not {getattr(self, name)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)
