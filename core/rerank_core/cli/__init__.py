"""The command line: `rerank`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ..errors import MissingExtraError


def main() -> None:
    """Run the command line; where its packages are missing, say how to get them."""
    if find_spec("typer") is None:
        sys.exit(f"rerank: {MissingExtraError('the command line', 'cli')}")
    try:
        from .app import app
        from .stdout import enough, make_forgiving

        make_forgiving()
        with enough():
            app(prog_name="rerank")
    except KeyboardInterrupt:  # before a command runs, or while it is left
        sys.exit(130)
