"""The thin packages under the frameworks' own names: what they hold, and that they import."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import rerank_core

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "langchain-dropin-rerank": ("langchain_dropin_rerank", "langchain_rerank"),
    "llama-index-postprocessor-dropin-rerank": (
        "llama_index.postprocessor.dropin_rerank",
        "llamaindex_rerank",
    ),
}
each = pytest.mark.parametrize("folder", FOLDERS)


def project(folder: str) -> dict[str, Any]:
    text = (ROOT / "integrations" / folder / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@each
def test_it_is_of_the_version_it_names(folder: str) -> None:
    """It wants the same minor version of the whole."""
    said = project(folder)["project"]
    major, minor, *_ = rerank_core.__version__.split(".")

    assert said["version"].startswith(f"{major}.{minor}.")
    assert said["dependencies"][0].endswith(f">={major}.{minor},<{major}.{int(minor) + 1}")


def test_llamahub_knows_every_class() -> None:
    """Where to import it from, and whose it is."""
    pytest.importorskip("llama_index.core")
    import llamaindex_rerank

    hub = project("llama-index-postprocessor-dropin-rerank")["tool"]["llamahub"]
    assert hub["import_path"] == "llama_index.postprocessor.dropin_rerank"
    assert sorted(hub["class_authors"]) == sorted(llamaindex_rerank.__all__)


@pytest.mark.slow
@each
def test_its_wheel_only_exports_again(folder: str, tmp_path: Path) -> None:
    """Built, unpacked and imported: the same classes, by every name."""
    pytest.importorskip("hatchling")
    package, behind = FOLDERS[folder]
    pytest.importorskip(behind)
    source = ROOT / "integrations" / folder
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([sys.executable, "-m", *build, str(source)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        archive.extractall(tmp_path / "there")
    where = package.replace(".", "/")
    assert held == {f"{where}/__init__.py", f"{where}/py.typed"}

    program = (
        f"import {package} as thin, {behind} as whole\n"
        "assert sorted(thin.__all__) == sorted(whole.__all__), thin.__all__\n"
        "assert all(getattr(thin, name) is getattr(whole, name) for name in thin.__all__)\n"
        "print(thin.__file__)"
    )
    path = os.pathsep.join(map(str, (tmp_path / "there", ROOT / "core", ROOT)))
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=120,
    )
    assert str(tmp_path) in ran.stdout, ran.stderr
    assert import_module(behind).__all__
