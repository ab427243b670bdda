"""A student from one end to the other: taught, measured, and used only if it wins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import lessons
import pytest
from typer.testing import CliRunner

from rerank_core import InvalidInputError, MissingExtraError, Reranker, errors
from rerank_core.cli.app import app
from rerank_core.evaluation import Collection, Run
from rerank_core.evaluation.provenance import Provenance
from rerank_core.scorers import OnnxCrossEncoderScorer
from rerank_core.teaching import Teaching, teach
from rerank_core.teaching.folder import Folder

pytestmark = [
    pytest.mark.skipif(
        not all(map(find_spec, ("sentence_transformers", "datasets", "accelerate", "onnx"))),
        reason="needs the extra teach",
    ),
    # of torch and its exporter, about themselves
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

JUDGED = lessons.collection()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other in so small a model wait for whatever else runs, too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def start(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from models import tiny_cross_encoder

    return tiny_cross_encoder(tmp_path_factory.mktemp("start") / "tiny")


@pytest.fixture(scope="module")
def winner(start: Path, tmp_path_factory: pytest.TempPathFactory) -> Teaching:
    """Taught what the retriever does not know."""
    folder = tmp_path_factory.mktemp("winner")
    return teach(
        JUDGED,
        lessons.teacher(JUDGED),
        folder / "student",
        start=str(start),
        config=folder / "rerank.toml",
        settings=lessons.SETTINGS,
        name="wise",
    )


@pytest.mark.slow
def test_a_student_that_wins_is_written(winner: Teaching) -> None:
    """What the file names ranks as it was measured; what it was measured by stands beside it."""
    assert winner.wins
    assert winner.config is not None
    assert winner.means["student"] > winner.means["retriever"] + 0.3
    assert winner.share == pytest.approx(1.0, abs=0.05)
    assert winner.queries == {"train": 23, "stopping": 5, "held_out": 12, "unasked": 0}

    with Reranker.from_config(winner.config) as reranker:
        ranking = reranker.rank("what is the capital 99", ["rome no", "paris yes", "berlin no"])
    assert ranking[0].text == "paris yes"
    assert "[taught]" in Path(winner.config).read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_is_there_in_onnx_and_in_int8(winner: Teaching) -> None:
    """Both beside the model itself; the checkpoints are gone, the teacher's scores were no file."""
    folder = Path(winner.folder)

    assert (folder / "model.safetensors").is_file()
    assert not (folder / ".teaching" / "checkpoints").exists()
    for precision in ("fp32", "int8"):
        with Reranker(OnnxCrossEncoderScorer(folder, precision=precision)) as reranker:
            assert reranker.rank("what is the capital", ["rome no", "rome yes"])[0].index == 1


@pytest.mark.slow
def test_the_card_says_where_it_comes_from(winner: Teaching) -> None:
    """Data, teacher, settings, figures, seed, date; and no query."""
    card = (Path(winner.folder) / "README.md").read_text(encoding="utf-8")

    assert "# A cross-encoder taught by wise" in card
    assert winner.verdict() in card
    assert "23 queries to learn from, 5 to say when to stop, 12 held out" in card
    assert f"| student | {winner.means['student']:.4f} |" in card
    assert '"learning_rate": 0.005' in card
    assert f"Seed 0, {winner.date}, dropin-rerank" in card
    assert "what is the capital" not in card


@pytest.mark.slow
def test_what_is_done_is_not_done_again(start: Path, winner: Teaching) -> None:
    """The same call has the answer at once; another one over the same folder is refused."""
    told: list[str] = []

    def again(teacher: Run) -> Teaching:
        return teach(
            JUDGED,
            teacher,
            winner.folder,
            start=str(start),
            config=winner.config,
            settings=lessons.SETTINGS,
            name="wise",
            progress=lambda what, *_: told.append(what),
        )

    assert again(lessons.teacher(JUDGED)) == winner
    assert told == []
    with pytest.raises(InvalidInputError, match="has a student with another teacher: name another"):
        again(lessons.teacher(JUDGED, liked="no"))


@pytest.mark.slow
def test_a_student_that_does_not_win_is_not_written(start: Path, tmp_path: Path) -> None:
    """Its teacher likes the wrong ones. It is there with its card, and no file names it."""
    found = teach(
        JUDGED,
        lessons.teacher(JUDGED, liked="no"),
        tmp_path / "student",
        start=str(start),
        config=tmp_path / "rerank.toml",
        settings=replace(lessons.SETTINGS, loss="margin", steps=20),
    )

    assert (found.kept, found.config) == (None, None)
    assert not (tmp_path / "rerank.toml").exists()
    assert found.means["student"] < found.means["retriever"]
    assert found.verdict().startswith("The student does not win: ")
    assert any("no better than the retriever" in note for note in found.notes)
    assert found.verdict() in (tmp_path / "student" / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_killed_it_goes_on_and_learns_the_same(
    start: Path, winner: Teaching, tmp_path: Path
) -> None:
    """By kill -9 after two checkpoints, one more half written: the student is as if it were not."""
    folder = tmp_path / "student"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, lessons.__file__, start, folder, tmp_path / "rerank.toml"]
    killed = subprocess.run(
        [*map(str, command), "24"], env=environment, capture_output=True, check=False, timeout=300
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (tmp_path / "rerank.toml").exists()
    (checkpoints,) = (folder / ".teaching" / "checkpoints").iterdir()
    assert (checkpoints / "checkpoint-20").is_dir()
    (checkpoints / "checkpoint-30").mkdir()
    (checkpoints / "checkpoint-30" / "model.safetensors").write_bytes(b"half")

    steps: list[int] = []
    found = teach(
        JUDGED,
        lessons.teacher(JUDGED),
        folder,
        start=str(start),
        config=tmp_path / "rerank.toml",
        settings=lessons.SETTINGS,
        progress=lambda what, done, _: steps.append(done) if what == "training" else None,
    )

    assert steps[0] == 21  # after the last whole one
    assert found.means == winner.means
    assert found.training["losses"] == pytest.approx(winner.training["losses"], rel=1e-3)
    assert (tmp_path / "rerank.toml").exists()


def test_what_cannot_be_taught_is_refused_before_any_work(tmp_path: Path) -> None:
    """Without judgements, without texts, over a folder or a file of somebody else's."""
    untexted = replace(JUDGED, queries=dict.fromkeys(JUDGED.queries, ""))
    judged_by_it = replace(JUDGED, provenance=Provenance({"gpt-4o-mini": 40}))
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "mine.toml").write_text('[reranker]\nscorer = "bm25"\n')

    def refused(why: str, of: Collection = JUDGED, folder: str = "new", config: str = "") -> None:
        with pytest.raises(InvalidInputError, match=why):
            teach(
                of,
                lessons.teacher(JUDGED),
                tmp_path / folder,
                start="nowhere/none",
                name="gpt-4o-mini, of May",
                config=tmp_path / config if config else None,
            )

    refused("no query is judged", replace(JUDGED, qrels={}))
    refused("gpt-4o-mini judged these queries and is the teacher", judged_by_it)
    refused("have no text here", untexted)
    refused("holds something else", folder=".")
    refused(r"mine\.toml is there already", config="mine.toml")
    refused("there is no folder", config="nowhere/rerank.toml")
    assert (tmp_path / "mine.toml").read_text() == '[reranker]\nscorer = "bm25"\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "mine.txt"]


def test_a_folder_is_one_students_once_it_learns(tmp_path: Path) -> None:
    """Before, a start that was not to be had may be mended; and one process at a time is in it."""
    with Folder(tmp_path / "student") as place:
        place.take({"start": "mistyped", "data": "1"})
        place.take({"start": "there", "data": "1"})
        place.checkpoints("any").mkdir(parents=True)
        place.take({"start": "there", "data": "1"})
        with pytest.raises(InvalidInputError, match="another start: name another folder"):
            place.take({"start": "other", "data": "1"})
        with (
            pytest.raises(InvalidInputError, match="another process is at work"),
            Folder(tmp_path / "student"),
        ):
            pass


def test_a_teacher_that_was_not_measured_is_refused(tmp_path: Path) -> None:
    """It is to be seen beside its student."""
    whole = lessons.teacher(JUDGED)
    half = Run("half", {q: r for q, r in whole.rankings.items() if int(q[1:]) % 2})

    with pytest.raises(InvalidInputError, match=r"the teacher has no scores for \d of 12 held-out"):
        teach(JUDGED, half, tmp_path / "student", start="nowhere/none")


def test_missing_packages_are_missed_by_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else."""
    there = errors.find_spec
    monkeypatch.setattr(errors, "find_spec", lambda n: None if n == "datasets" else there(n))

    with pytest.raises(MissingExtraError, match="the extra 'teach' of dropin-rerank: pip install "):
        teach(JUDGED, lessons.teacher(JUDGED), tmp_path / "student")


def test_the_command_wants_one_teacher(tmp_path: Path) -> None:
    """None, two, or a file that is not there: a sentence, and no folder."""
    student = ["--student", str(tmp_path / "student")]

    for given, why in (
        ([], "name one teacher"),
        (["--teacher", "bm25", "--teacher-run", "a.trec"], "name one teacher"),
        (["--teacher-run", "wise=nowhere.trec"], "there is no file nowhere.trec"),
    ):
        result = CliRunner().invoke(app, ["teach", "data", *student, *given])
        assert result.exit_code == 2
        assert why in result.stderr
    assert not (tmp_path / "student").exists()


@pytest.mark.slow
def test_the_command_teaches(start: Path, tmp_path: Path) -> None:
    """Judged JSON lines and a scorer by name; bm25 has nothing to teach, and nothing is written."""
    data = tmp_path / "data.jsonl"
    data.write_text(
        "".join(
            json.dumps(
                {
                    "id": query,
                    "query": JUDGED.queries[query],
                    "documents": [
                        {
                            "id": c.id,
                            "text": f"{c.text} {JUDGED.queries[query] if i % 2 else ''}",
                            "relevance": int("yes" in c.text),
                        }
                        for i, c in enumerate(found)
                    ],
                }
            )
            + "\n"
            for query, found in JUDGED.candidates.items()
        ),
        encoding="utf-8",
    )
    arguments = ["teach", data, "--teacher", "bm25", "--student", tmp_path / "student"]
    arguments += ["-o", tmp_path / "rerank.toml", "--start", start, "--steps", "4"]

    result = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "160"})

    assert result.exit_code == 0, result.output
    assert "The student does not win" in result.stdout
    assert "was not written: what is there now is no worse" in result.stderr
    assert not (tmp_path / "rerank.toml").exists()
    scores = (tmp_path / "student" / ".teaching" / "teacher.jsonl").read_text(encoding="utf-8")
    assert len(scores.splitlines()) == len(JUDGED.candidates)
