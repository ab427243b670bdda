"""Where the files of a model are: on this machine, or on a hub by way of its cache."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...errors import ConfigurationError
from .local_model import cannot_fetch

#: Who tells of every try at the hub, and the words by which that is known.
_HUBS_LOG, _TRIES = "huggingface_hub.utils._http", ("thrown while requesting", "[Retry ")
#: Whether the thread at hand loads a model of ours.
_loading = threading.local()

#: Weights too large for the file itself stand beside it, under one of these endings.
EXTERNAL_DATA = ("_data", ".data")


def files_of(model: str, revision: str | None) -> Folder | Hub:
    """The files of a model that is named by a path, or as on the Hugging Face hub."""
    return Folder(Path(model)) if Path(model).exists() else Hub(model, revision)


@contextmanager
def fetching(model: str, revision: str | None = None, *, whole: bool = True) -> Iterator[None]:
    """Around what fetches and loads a model: what goes wrong is a `ConfigurationError` that says
    what to do.

    The hub's log of its tries is left out, as the error says it all. With `whole`, where all of
    the loading is a library's own, which would try again for every file: the hub is asked for one
    of them first, unless the cache has any.
    """
    logger = logging.getLogger(_HUBS_LOG)
    logger.addFilter(_no_tries)  # the same one, so that it is there once
    before, _loading.here = getattr(_loading, "here", False), True
    try:
        if whole and _is_to_be_fetched(model):
            Hub(model, revision).first(("config.json",))
        yield
    except ConfigurationError:
        raise
    except Exception as error:  # OSError, ValueError, the hub's own, and what torch raises
        raise cannot_fetch(model, error) from error
    finally:
        _loading.here = before


def _no_tries(record: logging.LogRecord) -> bool:
    ours = getattr(_loading, "here", False)
    return not (ours and any(words in str(record.msg) for words in _TRIES))


def _is_to_be_fetched(model: str) -> bool:
    """Whether it is a name on the hub, of which the usual cache has nothing."""
    if model.count("/") != 1 or Path(model).exists() or "SENTENCE_TRANSFORMERS_HOME" in os.environ:
        return False
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=model, repo_type="model")
    return not (Path(constants.HF_HUB_CACHE) / folder / "snapshots").exists()


class Folder:
    """A model's files on this machine."""

    def __init__(self, path: Path) -> None:
        self.weights = path if path.is_file() else None
        self.roots = (path.parent, path.parent.parent) if path.is_file() else (path,)

    def first(self, names: Sequence[str]) -> Path | None:
        """The first of these that there is."""
        if self.weights is not None and names[0].endswith(".onnx"):
            return self.weights
        paths = (root / name for name in names for root in self.roots)
        return next((path for path in paths if path.is_file()), None)


class Hub:
    """A model's files on the Hugging Face hub, by way of its cache."""

    def __init__(self, model: str, revision: str | None) -> None:
        self.model, self.revision = model, revision

    def first(self, names: Sequence[str]) -> Path | None:
        """The first of these that there is. Raises `ConfigurationError` where none can be had."""
        with fetching(self.model, whole=False):
            return self._first(names)

    def _first(self, names: Sequence[str]) -> Path | None:
        # What is in the cache is taken as it is: no start should wait for the network.
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import LocalEntryNotFoundError

        unreachable: Exception | None = None
        for name in names:
            cached = try_to_load_from_cache(self.model, name, revision=self.revision)
            if isinstance(cached, str):
                return Path(cached)
            if cached is not None or unreachable:  # known not to be there, or not to be known
                continue
            try:
                path = self._download(name)
            except LocalEntryNotFoundError as error:
                unreachable = error
                continue
            if path is not None:
                return path
        if unreachable:
            raise unreachable
        return None

    def _download(self, name: str) -> Path | None:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            path = hf_hub_download(self.model, name, revision=self.revision)
        except LocalEntryNotFoundError:
            raise  # the hub did not answer: nobody knows whether there is such a file
        except EntryNotFoundError:
            return None
        if name.endswith(".onnx"):
            for ending in EXTERNAL_DATA:
                self._download(name + ending)
        return Path(path)
