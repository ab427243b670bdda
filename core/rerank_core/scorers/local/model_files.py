"""Where the files of a model are: on this machine, or on a hub by way of its cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .local_model import cannot_fetch

#: Weights too large for the file itself stand beside it, under one of these endings.
EXTERNAL_DATA = ("_data", ".data")


def files_of(model: str, revision: str | None) -> Folder | Hub:
    """The files of a model that is named by a path, or as on the Hugging Face hub."""
    return Folder(Path(model)) if Path(model).exists() else Hub(model, revision)


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
        try:
            return self._first(names)
        except Exception as error:
            raise cannot_fetch(self.model, error) from error

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
