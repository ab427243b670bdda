"""What a user's editor sees: the public face, read by two type checkers at their strictest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "tests" / "typing_tests"
Check = Callable[[Path], set[tuple[str, int]]]
#: In bad.py each line below this comment is wrong.
MARK = "# each line from here on is wrong"


def mypy(tmp_path: Path) -> set[tuple[str, int]]:
    """Where mypy finds an error in our two files, with the cache that `make check` fills."""
    pytest.importorskip("mypy")
    files = sorted(FILES.glob("*.py"))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    found = re.findall(r"typing_tests/(\w+\.py):(\d+): error:", ran.stdout)
    return {(file, int(line)) for file, line in found}


def pyright(tmp_path: Path) -> set[tuple[str, int]]:
    """Where pyright does (basedpyright, which is pyright from PyPI alone, in pyright's mode)."""
    if find_spec("basedpyright") is None:
        pytest.skip("basedpyright is not installed: it is in the group dev")
    settings = {
        "include": [str(FILES)],
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT / "core"), str(ROOT)],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [
        "-m",
        "basedpyright",
        "--project",
        "pyrightconfig.json",
        "--outputjson",
        "--pythonpath",
    ]
    ran = subprocess.run(
        [sys.executable, *command, sys.executable],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(FILES.glob("*.py")))
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
        for one in report["generalDiagnostics"]
        if one["severity"] == "error"
    }


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_strictest_checkers_see_every_option(check: Check, tmp_path: Path) -> None:
    """In good.py they know each by its name and type; in bad.py they find each mistake."""
    pytest.importorskip("langchain_core")
    pytest.importorskip("llama_index.core")
    lines = (FILES / "bad.py").read_text().splitlines()
    wrong = {("bad.py", line) for line in range(lines.index(MARK) + 2, len(lines) + 1)}

    assert check(tmp_path) == wrong
