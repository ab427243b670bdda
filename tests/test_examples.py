"""The notebooks run as they stand, in a real kernel, without a network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel's own machinery, not ours
def test_a_notebook_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs, and the last one shows a ranking."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    root = EXAMPLES.parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (root / "core", root))))
    content = nbformat.read(notebook, as_version=4)

    client = nbclient.NotebookClient(
        content, timeout=120, resources={"metadata": {"path": EXAMPLES}}
    )
    client.execute()

    shown = [output for cell in content.cells[-1:] for output in cell["outputs"]]
    assert "Ranking(" in str(shown) or "of 100 documents" in str(shown)
