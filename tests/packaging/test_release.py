"""What is written once stays so: the version, the ranges, the rows, what workflows may do."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import rerank_core

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = [*WORKFLOWS, *(ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"), ROOT / "CITATION.cff"]


def parsed(page: Path) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load(page.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def noxfile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file of sessions, as nox reads it."""
    pytest.importorskip("nox")
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setenv("PYENV_VERSION", "any")  # it names pyenv's versions where nobody has
    import noxfile

    return noxfile


def newest_heading() -> str:
    """The first version of the changelog, with what stands behind it."""
    return next(
        line.removeprefix("## ")
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    )


def tags() -> list[str]:
    """Those of versions on this commit; none outside a repository."""
    command = ["git", "-C", str(ROOT), "tag", "--points-at", "HEAD", "--list", "v[0-9]*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git
        return []
    return done.stdout.split()


def test_the_changelog_begins_with_this_version() -> None:
    """The one in `rerank_core.__version__`, which the wheel takes too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert newest_heading().split()[0] == rerank_core.__version__
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "core/rerank_core/__init__.py"


def test_a_tag_names_this_version_and_the_changelog_a_day() -> None:
    """A commit with a tag is a release: it is that version's, and no longer "unreleased"."""
    for tag in tags():
        assert tag == f"v{rerank_core.__version__}"
        assert re.fullmatch(r"\S+ \(\d{4}-\d\d-\d\d\)", newest_heading())


def test_the_lowest_versions_are_those_of_the_project_file(noxfile: Any) -> None:
    """One pin for each package of the extras asked for; each declares its lowest."""
    declared = noxfile.extras()
    chosen = [name for name in declared if name != "all"]

    pins = dict(pin.split("==") for pin in noxfile.lowest_pins(*chosen))

    assert set(pins) == {wanted.name for name in chosen for wanted in declared[name]}
    assert all(
        wanted.specifier.contains(pins[wanted.name]) for name in chosen for wanted in declared[name]
    )


def test_a_range_without_a_lowest_is_refused(noxfile: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not declared cannot be tried."""
    requirement = noxfile.Requirement("something<3")
    monkeypatch.setattr(noxfile, "extras", lambda: {"": [requirement]})

    with pytest.raises(ValueError, match="declares no lowest version: something<3"):
        noxfile.lowest_pins("")


def test_every_file_a_row_names_is_there(noxfile: Any) -> None:
    """A row that ran nothing would pass."""
    named = {t for row in noxfile.ROWS.values() for t in row.tests if t.startswith("tests/")}

    assert named
    assert all((ROOT / name).exists() for name in named)


def test_every_install_line_of_the_readme_is_run_alone(noxfile: Any) -> None:
    """And every tutorial's, by `make readme`, which has something to run for each."""
    pages = [ROOT / "README.md", *(ROOT / "docs" / "tutorials").glob("*.md")]
    shown = {
        line.strip("'")
        for page in pages
        for line in re.findall(r"pip install ('[^']+'|[^\s`]+)", page.read_text(encoding="utf-8"))
    }
    source = (ROOT / "tests" / "packaging" / "readme.py").read_text(encoding="utf-8")

    assert {noxfile.install_line(name) for name in noxfile.LINES if name != "measured"} == shown
    assert all(f'    "{name}": (' in source for name in noxfile.LINES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_is_yaml(page: Path) -> None:
    """A mapping, as whoever reads it expects."""
    assert isinstance(parsed(page), dict)


def test_continuous_integration_runs_every_row(noxfile: Any) -> None:
    """Those of a Python are its own matrix; the others are named one by one."""
    jobs = parsed(ROOT / ".github/workflows/ci.yml")["jobs"]
    targets = jobs["versions"]["strategy"]["matrix"]["target"]
    pythons = [f"python-{version}" for version in jobs["test"]["strategy"]["matrix"]["python"]]

    rows = [name for target in targets for name in re.findall("^matrix ROW=(.+)", target)]
    assert rows + pythons == list(noxfile.ROWS)


def test_make_has_every_target_that_a_workflow_names() -> None:
    """So that what runs there runs here."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = "\n".join(page.read_text(encoding="utf-8") for page in WORKFLOWS)
    targets = set(re.findall(r"run: make ([a-z-]+)", text))

    assert {"check", "test", "long", "wheel", "release-check"} <= targets
    assert all(re.search(f"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda page: page.name)
def test_actions_are_pinned_and_may_do_little(page: Path) -> None:
    """Each to a version; only what publishes may say who it is, and it runs nothing of ours."""
    workflow = parsed(page)
    for name, job in workflow["jobs"].items():
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        permissions = job.get("permissions", workflow["permissions"])
        assert all(re.fullmatch(r"[\w./-]+@v\d+\.\d+\.\d+", action) for action in used)
        if name == "publish":
            assert permissions == {"id-token": "write"}
            assert not any("run" in step for step in job["steps"])
        else:
            assert permissions == {"contents": "read"}


def test_the_script_for_an_extra_alone_knows_every_extra(noxfile: Any) -> None:
    """One part each, and the bare wheel."""
    code = "import runpy, sys; print(*runpy.run_path(sys.argv[1])['PARTS'])"
    script = ROOT / "tests/packaging/alone.py"
    path = f"import sys; sys.path.insert(0, {str(ROOT / 'core')!r}); "
    done = subprocess.run(
        [sys.executable, "-c", path + code, str(script)], capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()) == {"bare", *noxfile.extras()} - {"", "all"}
