"""What is not installed is missed by name, with the command that installs it."""

from __future__ import annotations

import ast
import pickle
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rerank_core import MissingExtraError, errors
from rerank_core.errors import install, require

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ROOMS = ("core/rerank_core", "langchain_rerank", "llamaindex_rerank")
#: Imported without being asked for: by what it comes with, or by who has it.
COMES_WITH = {
    "pydantic": "both frameworks",
    "torch": "sentence-transformers",
    "transformers": "sentence-transformers",
    "typing_extensions": "nothing: for type checkers alone",
    "langchain": "the user, who gives us its models and agents",
    "langgraph": "langchain",
    "yaml": "the user, who writes YAML",
}

#: Imported from a namespace that many share, by which package's part of it is used.
SHARED = {"google": ["protobuf"]}


def imported(file: Path) -> set[str]:
    """The top names of the packages of others, wherever in the file they are imported."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module))
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"rerank_core"}


def test_what_is_imported_is_asked_for() -> None:
    """What only a package of others has brought so far is gone when that one no longer does."""
    asked = [
        *PYPROJECT["project"]["dependencies"],
        *(one for some in EXTRAS.values() for one in some),
    ]
    wanted = {re.split(r"[^\w-]", one)[0].lower().replace("_", "-") for one in asked}
    brought = {**packages_distributions(), **SHARED}
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    strange = {
        f"{file.name} imports {name}"
        for file in files
        for name in imported(file) - COMES_WITH.keys()
        if wanted.isdisjoint(one.lower().replace("_", "-") for one in brought.get(name, [name]))
    }

    assert len(files) > 100
    assert strange == set()


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
        f"rerank_core.errors.MissingExtraError: {package} needs the extra {extra!r} of "
        f"dropin-rerank: {install(extra)}"
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

    assert words[:2] == ["pip", "install"]
    assert words[2:] == EXTRAS[extra]
    assert f"needs the extra {extra!r} of dropin-rerank: {command}" in str(
        MissingExtraError("this", extra)
    )


def test_without_metadata_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source tree that was never installed."""
    monkeypatch.setattr(errors, "DISTRIBUTION", "no-such-distribution")

    assert install("any") == "pip install 'no-such-distribution[any]'"


def test_the_error_survives_a_pickle() -> None:
    """On its way from another process."""
    error = MissingExtraError("this test", "cohere")

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
