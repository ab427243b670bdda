"""What a person sees while it takes time: on standard error, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from ..evaluation.running import Progress


class _Count(MofNCompleteColumn):
    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


@contextmanager
def progress(shown: bool, systems: int = 1) -> Iterator[Progress | None]:
    """A bar for each system that is asked, if it is `shown`, and beside it what takes time besides:
    models that load before, and after the last of `systems` the statistics.
    """
    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _Count(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        tasks: dict[str, tuple[object, int, int]] = {}
        beside = bar.add_task(_beside(0, systems), total=None)

        def told(system: str, done: int, of: int) -> None:
            if system not in tasks:
                tasks[system] = (bar.add_task(system, total=of), 0, of)
            task = tasks[system][0]
            tasks[system] = (task, done, of)
            bar.update(task, completed=done)  # type: ignore[arg-type]
            over = sum(done >= of for _, done, of in tasks.values())
            bar.update(beside, description=_beside(over, systems), visible=over == len(tasks))

        yield told


def _beside(over: int, systems: int) -> str:
    return "statistics" if over >= systems else "loading"


@contextmanager
def working(what: str) -> Iterator[None]:
    """A line that moves and says what is under way."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(Text(what)):
        yield
