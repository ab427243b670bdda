"""The command line: `rerank`."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line; where its packages are missing, say how to get them."""
    if find_spec("typer") is None:
        sys.exit("rerank: the command line needs more packages: pip install 'dropin-rerank[cli]'")
    from .app import app
    from .stdout import make_forgiving

    make_forgiving()

    app(prog_name="rerank")
