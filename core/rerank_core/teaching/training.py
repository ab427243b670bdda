"""The student learns: sentence-transformers' trainer, its checkpoints, and where to go on."""

from __future__ import annotations

import json
import math
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evaluation.running import Progress
from ..runtime.replacing import replaced
from ..scorers.local.local_model import cannot_fetch
from ..telemetry.log import log
from .examples import Example, columns
from .settings import Settings

_STATE = "trainer_state.json"
#: How long it took up to the last checkpoint.
_SECONDS = "seconds"
#: After so many steps it is said how long it will take.
_STEPS_TO_TELL = 5


@dataclass(frozen=True, slots=True)
class Trained:
    """The student at its best. `steps` done, `best_step` the one it is of, `losses` on the stopping
    queries by step, `seconds` over all starts, `device` as torch names it.
    """

    model: Any
    steps: int
    best_step: int
    losses: Mapping[int, float]
    seconds: float
    device: str


def train(
    start: str,
    learn: Sequence[Example],
    stopping: Sequence[Example],
    checkpoints: Path,
    settings: Settings,
    progress: Progress | None = None,
) -> Trained:
    """Fine-tune the model `start` (a cross-encoder, or an encoder, which gets a head of chance).

    Goes on from the last whole checkpoint in the folder. Python, NumPy and torch are seeded, so
    that the same examples, settings, versions and number of threads give the same student. Raises
    `ConfigurationError` where `start` cannot be had.
    """
    import torch
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer
    from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

    last = _last_whole(checkpoints)
    started = time.monotonic() - (_seconds(checkpoints) if last else 0.0)
    set_seed(settings.seed)  # the head of an encoder is drawn when it is loaded
    try:
        model = CrossEncoder(start, num_labels=1, max_length=settings.max_length)
    except Exception as error:  # OSError, ValueError, the hub's own, and what torch raises
        raise cannot_fetch(start, error) from error
    rows = [Dataset.from_dict(columns(found, settings)) for found in (learn, stopping)]
    arguments = _arguments(len(rows[0]), checkpoints, settings)
    trainer = CrossEncoderTrainer(
        model=model,
        args=arguments,
        train_dataset=rows[0],
        eval_dataset=rows[1],
        loss=_loss(model, settings),
        callbacks=[EarlyStoppingCallback(settings.patience), _telling(started, progress)],
    )
    trainer.remove_callback(PrinterCallback)
    with warnings.catch_warnings():
        # of the trainer about torch, and of no concern to whoever teaches
        warnings.simplefilter("ignore")
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    losses = {
        int(entry["step"]): float(entry["eval_loss"])
        for entry in trainer.state.log_history
        if "eval_loss" in entry
    }
    model.eval()
    return Trained(
        model,
        # begun again at its end, the trainer takes one step more, which is not the best
        min(trainer.state.global_step, arguments.max_steps),
        trainer.state.best_global_step or trainer.state.global_step,
        losses,
        time.monotonic() - started,
        torch.device(model.device).type,
    )


def _arguments(rows: int, checkpoints: Path, settings: Settings) -> Any:
    from sentence_transformers.cross_encoder import CrossEncoderTrainingArguments

    # a triplet is a quarter of a list, or thereabouts: as many pairs go into a step either way
    batch = settings.batch * (1 if settings.loss == "listwise" else max(1, settings.documents // 2))
    an_epoch = max(1, math.ceil(rows / batch))
    steps = min(settings.epochs * an_epoch, settings.steps or settings.epochs * an_epoch)
    every = min(settings.every or max(1, an_epoch // 2), steps)
    return CrossEncoderTrainingArguments(
        output_dir=str(checkpoints),
        max_steps=steps,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=batch,
        learning_rate=settings.learning_rate,
        warmup_steps=max(1, steps // 10),
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,  # the best and the last
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        seed=settings.seed,
        data_seed=settings.seed,
    )


def _loss(model: Any, settings: Settings) -> Any:
    from sentence_transformers.cross_encoder import losses

    if settings.loss == "margin":
        return losses.MarginMSELoss(model)
    return losses.LambdaLoss(model, mini_batch_size=-1)


def _last_whole(checkpoints: Path) -> Path | None:
    """The newest checkpoint that was written to its end; what was not is removed."""
    whole = {}
    for folder in checkpoints.glob("checkpoint-*"):
        try:  # written last
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            whole[int(state["global_step"])] = folder
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(folder)
    return whole[max(whole)] if whole else None


@contextmanager
def without_bars() -> Iterator[None]:
    """Loading and saving a small model is no news: transformers shows no bar for it in here."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _telling(started: float, progress: Progress | None) -> Any:
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Says how far it is, and once how long it will take."""

        def __init__(self) -> None:
            self.began, self.first = 0.0, 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began, self.first = time.monotonic(), state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if progress is not None:
                progress("training", state.global_step, state.max_steps)
            if state.global_step - self.first == _STEPS_TO_TELL:
                a_step = (time.monotonic() - self.began) / _STEPS_TO_TELL
                log.info(
                    "%d steps of %.1f s: about %.0f min, unless it stops before",
                    state.max_steps,
                    a_step,
                    a_step * (state.max_steps - state.global_step) / 60,
                )

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            replaced(Path(args.output_dir) / _SECONDS, f"{time.monotonic() - started}")

    return Telling()


def _seconds(checkpoints: Path) -> float:
    try:
        return float((checkpoints / _SECONDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0
