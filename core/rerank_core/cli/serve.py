"""`rerank serve`: configured rerankers behind the HTTP that rerank clients speak."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError, require

#: The variable with the password of the private key.
KEY_PASSWORD = "RERANK_SERVE_TLS_PASSWORD"


def serve(
    models: Annotated[
        Path | None,
        typer.Argument(
            help="A folder of configuration files (TOML, JSON, YAML), each a model by its file's "
            "name; or one such file. Files that change are taken over. Default: the embedded "
            "default as the model hybrid.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="0: any that is free.")] = 8000,
    timeout: Annotated[
        float, typer.Option("--timeout", "-t", help="The longest deadline of a ranking, seconds.")
    ] = 5.0,
    capacity: Annotated[
        int, typer.Option(help="The most rankings of a model at once; fewer where they are late.")
    ] = 64,
    max_documents: Annotated[int, typer.Option(help="Documents in a request.")] = 1000,
    max_bytes: Annotated[int, typer.Option(help="Bytes of a request.")] = 8 * 2**20,
    read_timeout: Annotated[
        float, typer.Option(help="Seconds for a request to arrive, or an answer to be taken.")
    ] = 10.0,
    connections: Annotated[int, typer.Option(help="Connections open at once.")] = 1000,
    grace: Annotated[
        int, typer.Option(help="Seconds for what is under way when it is told to stop.")
    ] = 30,
    batching: Annotated[
        int,
        typer.Option(
            help="Pairs of simultaneous rankings in one pass through a local model; 1: each "
            "ranking by itself."
        ),
    ] = 1,
    api_keys: Annotated[
        Path | None,
        typer.Option(
            "--api-keys",
            help="A file of keys that callers must have, one a line. Default: "
            "RERANK_SERVE_KEYS in the environment, separated by commas; none: anybody may ask.",
            show_default=False,
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="PEM, with its chain.", show_default=False)
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            "--tls-key",
            help=f"PEM; its password, if any, in {KEY_PASSWORD}.",
            show_default=False,
        ),
    ] = None,
    scorer: Annotated[
        str | None, typer.Option("--scorer", "-s", "--config", "-c", hidden=True)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No line for every request.")] = False,
) -> None:
    """Answer rerank requests: Cohere's (v1, v2), Jina's and TEI's.

    rerank serve models/ --port 8000

    rerank serve reranker.toml --host 0.0.0.0 --api-keys keys.txt
    """
    if scorer is not None:
        raise ConfigurationError(
            "rerank serve takes configuration files and no --scorer or --config: write "
            f"scorer = {scorer!r} beneath [reranker] into NAME.toml, then: rerank serve NAME.toml. "
            "Without a file it serves hybrid"
        )
    require("rerank serve", "serve", "starlette", "uvicorn", "prometheus_client")
    from ..reranker import Reranker
    from ..serving.app import make_app
    from ..serving.batching import Batching
    from ..serving.keys import Keys
    from ..serving.limits import Limits
    from ..serving.models import Models
    from ..serving.server import bind
    from ..serving.server import serve as answer

    if (tls_cert is None) != (tls_key is None):
        raise ConfigurationError("--tls-cert and --tls-key go together")
    if batching < 1:
        raise ConfigurationError(f"--batching is at least 1, not {batching}")
    limits = Limits(
        max_documents=max_documents,
        max_bytes=max_bytes,
        timeout=timeout,
        capacity=capacity,
        read_timeout=read_timeout,
        connections=connections,
        grace=grace,
    )
    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("httpx", "httpx2", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    keys = Keys.found(api_keys)
    if models is not None and not models.exists():
        raise ConfigurationError(f"{models} is not there: a folder of NAME.toml, or one such file")
    listening = bind(host, port)
    served = Models(
        {"hybrid": Reranker("hybrid")} if models is None else models,
        limits,
        batching=Batching(most=batching) if batching > 1 else None,
    )
    log = logging.getLogger("rerank_core")
    if not len(keys) and host not in ("127.0.0.1", "::1", "localhost"):
        log.warning("no API keys: whoever reaches %s may ask, and spend what a model costs", host)
    address, scheme = listening.getsockname()[1], "http" if tls_cert is None else "https"
    names = ", ".join(sorted(model.name for model in served))
    shown = f"[{host}]" if ":" in host else host
    log.info("%s at %s://%s:%d", names, scheme, shown, address)
    answer(
        make_app(served, limits=limits, keys=keys),
        listening,
        limits,
        certificate=tls_cert,
        private_key=tls_key,
        password=os.environ.get(KEY_PASSWORD),
    )
