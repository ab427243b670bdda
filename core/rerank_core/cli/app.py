"""The commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import RerankError, ScorerError
from . import bulk as bulk_job
from . import diff as changes
from . import doctor as diagnosis
from . import eval as evaluation
from . import judge as judgements
from . import rank
from . import serve as serving
from . import teach as teaching
from . import tune as tuning
from .spoken import spoken

#: Exit codes, as `rerank --help` tells them.
WORLD, USAGE = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Put the documents that answer a question on top.\n\n"
    "Exit codes: 0 done; 1 a server or model failed; 2 something asked for cannot be right; "
    "3 less came of it than was asked for: --strict, and the ranking was degraded; judge, and not "
    "every pair was judged; 4 a gate fell: --fail-if-worse, --max-change; 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rerank {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None: ...


def _in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Errors of ours on one line of standard error, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except BrokenPipeError:
            raise typer.Exit(0) from None  # and what is left to write: see `stdout.enough`
        except ScorerError as error:
            _say(spoken(str(error), command, options))
            raise typer.Exit(WORLD) from error
        except (RerankError, OSError) as error:
            _say(spoken(str(error), command, options))
            raise typer.Exit(USAGE) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return run


def _say(said: str) -> None:
    print(f"rerank: {said}", file=sys.stderr)


app.command("rank")(_in_words(rank.rank))
app.command("eval")(_in_words(evaluation.evaluation))
app.command("tune")(_in_words(tuning.tuning))
app.command("judge")(_in_words(judgements.judging))
app.command("diff")(_in_words(changes.diff))
app.command("doctor")(_in_words(diagnosis.doctor))
app.command("teach")(_in_words(teaching.teaching))
app.command("bulk")(_in_words(bulk_job.bulk))
app.command("serve")(_in_words(serving.serve))
