"""What is not installed is missed by name, with the command that installs it."""

from __future__ import annotations

import pickle
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rerank_core import MissingExtraError, errors
from rerank_core.errors import install, require

PYPROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


def test_what_is_there_is_not_missed() -> None:
    """Nothing is said, for a module inside a package too."""
    require("this test", "any", "json", "importlib.util")


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inside", "json.no_such"])
def test_what_is_not_there_is_missed_by_its_command(module: str) -> None:
    """One module of several is enough; the error is an ImportError too."""
    with pytest.raises(ImportError, match=r"pip install 'dropin-rerank\[any\]'") as caught:
        require("this test", "any", "json", module)

    assert isinstance(caught.value, MissingExtraError)
    assert (caught.value.feature, caught.value.extra) == ("this test", "any")


@pytest.mark.parametrize(
    ("package", "framework", "extra"),
    [
        ("langchain_rerank", "langchain_core", "langchain"),
        ("llamaindex_rerank", "llama_index", "llamaindex"),
    ],
)
def test_a_framework_that_is_not_there_is_missed_at_the_import(
    package: str, framework: str, extra: str
) -> None:
    """By the command, and by no other package's name."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {framework!r}: raise ModuleNotFoundError(name=name)\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"import {package}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        f"rerank_core.errors.MissingExtraError: {package} needs more packages: {install(extra)}"
    )


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {"all"}))
def test_the_command_names_the_packages_of_the_extra(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the metadata has them, so that it holds without a release on any index."""
    listed = [f"{one}; extra == {name!r}" for name, some in EXTRAS.items() for one in some]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["tenacity<10,>=9", *listed])

    command = install(extra)
    words = shlex.split(command)

    told, wanted = words[2 : words.index("(the")], EXTRAS[extra]
    assert words[:2] == ["pip", "install"]
    assert command.endswith(f"(the extra {extra!r} of dropin-rerank)")
    assert told == wanted


def test_without_metadata_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source tree that was never installed."""
    monkeypatch.setattr(errors, "DISTRIBUTION", "no-such-distribution")

    assert install("any") == "pip install 'no-such-distribution[any]'"


def test_the_error_survives_a_pickle() -> None:
    """On its way from another process."""
    error = MissingExtraError("this test", "cohere")

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
