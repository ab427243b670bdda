"""The rerankers that are served, by name: from a folder of their files, which may change."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .. import config
from ..errors import ConfigurationError, RerankError
from ..remote.secret import redact
from ..reranker import Reranker
from ..runtime import threads
from ..telemetry.log import log
from ..text.tables import read_tables
from .admission import Admission
from .batching import Batching, batched
from .limits import Limits
from .refusal import Refusal

#: How often the folder is looked at, in seconds. Looked at and not listened to: a change in a
#: network folder, or in what Kubernetes mounts, raises no event.
POLL = 2.0
#: After a failed load, how long until the next try, in seconds.
RETRY = 30.0
#: What stands for any name in `aliases`.
ANY = "*"

_NAME = re.compile(r"[\w.@+-][\w.@+ -]{0,127}")
_SUFFIXES = (".toml", ".json", ".yaml", ".yml")


@dataclass(eq=False)
class Model:
    """One reranker under its name, and who is being answered by it."""

    name: str
    reranker: Reranker
    admission: Admission
    #: Of a ranking, in seconds: the shorter of the file's and the server's. None: no limit.
    deadline: float | None
    aliases: tuple[str, ...] = ()
    default: bool = False
    loaded: bool = False
    #: Why it is not what its file says; for the log and whoever may see it.
    problem: str | None = None
    retired: bool = False
    users: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def in_use(self) -> Iterator[Reranker]:
        """Its reranker, which is not closed meanwhile."""
        self.users += 1
        try:
            yield self.reranker
        finally:
            self.users -= 1
            if not self.users:
                self._idle.set()

    async def load(self) -> None:
        """Load what it needs; what fails is in `problem`, and tried again by the watch."""
        try:
            await self.reranker.awarm_up()
        except Exception as error:
            self.problem = redact(f"{type(error).__name__}: {error}")
            log.error("%s cannot be loaded: %s", self.name, self.problem)
        else:
            self.loaded, self.problem = True, None

    async def retire(self) -> None:
        """Close it, once nobody is answered by it any more."""
        self.retired = True
        while self.users:
            self._idle.clear()
            await self._idle.wait()
        with suppress(RerankError):
            await self.reranker.aclose()


class Models:
    """The models in a folder of `NAME.toml`, `.json` or `.yaml`, in one such file, or those given.

    A table `[serve]` in a file may have `aliases = ["rerank-v3.5"]`, other names it answers to
    ("*": any), and `default = true`: asked where a request names none. Raises `ConfigurationError`
    for a file that cannot be served.
    """

    def __init__(
        self,
        source: Path | Mapping[str, Reranker],
        limits: Limits,
        *,
        batching: Batching | None = None,
    ) -> None:
        self._limits, self._batching = limits, batching
        self._source = source if isinstance(source, Path) else None
        self._files: dict[str, tuple[Path, object]] = {}
        self._tried: dict[str, object] = {}
        self._models: dict[str, Model] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Models that were replaced, and changes that were refused, by name and outcome.
        self.reloads: list[tuple[str, str]] = []
        if isinstance(source, Path):
            for name, file in self._found().items():
                self._files[name] = file, _stamp(file)
                self._models[name] = self._made(name, file)
        else:
            for name, reranker in source.items():
                self._models[name] = self._model(name, reranker, {})
        self._check(self._models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    @property
    def ready(self) -> bool:
        """Whether every model is loaded."""
        return all(model.loaded for model in self)

    def named(self, name: str | None) -> Model:
        """The model of that name; without one, the default. Raises `Refusal`."""
        if name is None:
            if len(self._models) == 1:
                return next(iter(self))
            if (default := next((one for one in self if one.default), None)) is not None:
                return default
            raise Refusal(400, f"model is needed: {self._told()}")
        if name in self._models:
            return self._models[name]
        for wanted in (name, ANY):
            if (model := next((m for m in self if wanted in m.aliases), None)) is not None:
                return model
        raise Refusal(404, f"no such model: {self._told()}", kind="Validation")

    def _told(self) -> str:
        return f"there are {', '.join(sorted(self._models))}"

    async def load(self) -> None:
        """Load all of them."""
        await asyncio.gather(*(model.load() for model in self))

    async def watch(self) -> None:
        """Follow the folder until cancelled."""
        tried = time.monotonic()
        while True:
            await asyncio.sleep(POLL)
            if time.monotonic() - tried > RETRY:
                tried = time.monotonic()
                for model in list(self):
                    if not model.loaded:
                        await model.load()
            if self._source is not None:
                try:
                    await self.look()
                except Exception:
                    log.exception("the folder of models could not be read; what is served stays")

    async def look(self) -> None:
        """Take over what has changed in the folder. What cannot be served is told, and changes
        nothing.
        """
        found = await threads.run(lambda stop: self._found(strict=False))
        stamps = {name: _stamp(file) for name, file in found.items()}
        for name, file in found.items():
            if stamps[name] is None or self._tried.get(name) == stamps[name]:
                continue
            if name in self._files and self._files[name] == (file, stamps[name]):
                continue
            self._tried[name] = stamps[name]
            await self._take(name, file, stamps[name])
        for name in self._models.keys() - found.keys():
            if len(self._models) > 1 and found:  # a folder is empty while it is replaced
                self._replace(name, None)

    async def _take(self, name: str, file: Path, stamp: object) -> None:
        model: Model | None = None
        try:
            model = await threads.run(lambda stop: self._made(name, file))
            self._check({**self._models, name: model})
            await model.load()
            if not model.loaded:
                raise ConfigurationError(model.problem or "it cannot be loaded")
        except (RerankError, OSError) as error:
            said = redact(str(error))
            kept = "the model before is kept" if name in self._models else "it is not served"
            log.error("%s: %s; %s", name, said, kept)
            if name in self._models:
                self._models[name].problem = said
            self.reloads.append((name, "refused"))
            if model is not None:
                await model.retire()
            return
        self._files[name] = file, stamp
        self._replace(name, model)

    def _replace(self, name: str, model: Model | None) -> None:
        old = self._models.pop(name, None)
        if model is not None:
            self._models[name] = model
        else:
            self._files.pop(name, None)
            self._tried.pop(name, None)
        log.warning("%s %s", name, "is served as its file says now" if model else "is gone")
        self.reloads.append((name, "taken" if model else "removed"))
        if old is not None:
            task = asyncio.create_task(old.retire())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Let go of all of them."""
        await asyncio.gather(*(model.retire() for model in self), *self._tasks)

    # -- files -------------------------------------------------------------------------------

    def _found(self, *, strict: bool = True) -> dict[str, Path]:
        """The files by name. Raises `ConfigurationError` where there are none."""
        source = self._source
        assert source is not None
        if source.is_file():
            return {source.stem: source}
        files = sorted(file for file in source.glob("*") if file.suffix in _SUFFIXES)
        files = [file for file in files if not file.name.startswith(".")]
        if not files and strict:
            raise ConfigurationError(
                f"{source} holds no model: write one as NAME.toml with a table [reranker]"
            )
        found: dict[str, Path] = {}
        for file in files:
            if not _NAME.fullmatch(file.stem):
                raise ConfigurationError(f"{file.name}: a model's name is of letters and digits")
            if file.stem in found:
                raise ConfigurationError(f"two files for the model {file.stem}: keep one")
            found[file.stem] = file
        return found

    def _made(self, name: str, file: Path) -> Model:
        try:
            whole = read_tables(file)
            options = config.options(config.load(file))
            if self._batching is not None:
                options["scorer"] = batched(options["scorer"], self._batching)
            return self._model(name, Reranker(**options), _serve_table(whole))
        except RerankError as error:
            if type(error) is not ConfigurationError or str(file) in str(error):
                raise
            raise ConfigurationError(f"{file}: {error}") from None

    def _model(self, name: str, reranker: Reranker, served: Mapping[str, Any]) -> Model:
        limits = [limit for limit in (reranker.effective_timeout, self._limits.timeout) if limit]
        deadline = min(limits, default=None)
        return Model(
            name,
            reranker,
            Admission(self._limits.capacity, deadline),
            deadline,
            aliases=tuple(served.get("aliases", ())),
            default=bool(served.get("default", False)),
        )

    @staticmethod
    def _check(models: Mapping[str, Model]) -> None:
        taken: dict[str, str] = {}
        for model in models.values():
            for alias in model.aliases:
                if (alias in models and alias != model.name) or taken.setdefault(
                    alias, model.name
                ) != model.name:
                    raise ConfigurationError(f"two models answer to {alias!r}")
        if sum(model.default for model in models.values()) > 1:
            raise ConfigurationError("two models are the default: one has [serve] default = true")


def _serve_table(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    if "serve" not in whole and (near := get_close_matches("serve", whole, n=1, cutoff=0.8)):
        raise ConfigurationError(f"nobody reads [{near[0]}]: did you mean [serve]?")
    table = whole.get("serve", {})
    if not isinstance(table, Mapping):
        raise ConfigurationError("serve is a table: [serve]")
    if unknown := sorted(table.keys() - {"aliases", "default"}):
        raise ConfigurationError(f"unknown {unknown} in [serve]: there are aliases, default")
    aliases = table.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(one, str) for one in aliases):
        raise ConfigurationError('aliases is a list of names, such as ["rerank-v3.5"]')
    if not isinstance(table.get("default", False), bool):
        raise ConfigurationError("default is true or false")
    return table


def _stamp(file: Path) -> object:
    """What changes when the file does; None where it cannot be looked at."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
