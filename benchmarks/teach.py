"""What a student keeps of its teacher, on SciFact.

    python benchmarks/teach.py [--folds 5] [--queries 40 80 240] [--teachers qwen qrels]
        [--steps N] [--depth 20] [--documents 8] [--max-length 256] [--keep FOLDER]

The student begins as all-MiniLM-L6-v2, an encoder that has never seen a query and a document
together, under a head of chance. Candidates are BM25's; the teachers are the published order of
Qwen2.5-3B over them (`rerank-qwen2.5-3b-gccp`) and, as the upper end, the judgements themselves.
The 300 queries are cut into 5 parts; of each fold that is run (`--folds` of the 5) one part is held
out, and `--queries` of the others are learned from and stopped by: the curve. `teach` itself is
called, with a configuration file to write, so that the last column says whether it was written.

Minutes are of the training alone, on OMP_NUM_THREADS cores. Documents a second of the students are
of `OnnxCrossEncoderScorer` in the same minutes; the teacher is a file, and nobody knows of it.
With `--keep` the same command goes on where it was killed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from models import minilm_cross_encoder  # noqa: E402
from scifact_data import SciFact  # noqa: E402

from rerank_core.evaluation import Collection, Run, load, read_run  # noqa: E402
from rerank_core.evaluation.run import Ranked  # noqa: E402
from rerank_core.teaching import Settings, Teaching, teach  # noqa: E402

PARTS = 5
QWEN = "rerank-qwen2.5-3b-gccp"
HEAD = (
    "teacher, learned from",
    "retriever",
    "default",
    "teacher",
    "student",
    "int8",
    "gain kept",
    "steps (best)",
    "min",
    "documents/s",
    "int8",
    "written",
)


def parts(collection: Collection) -> list[list[str]]:
    queries = sorted(collection.candidates)
    random.Random(0).shuffle(queries)
    return [queries[start::PARTS] for start in range(PARTS)]


def by_judgement(collection: Collection) -> Run:
    """The candidates by their grade, the retriever's order among equals."""
    rankings = {}
    for query, found in collection.candidates.items():
        grades = collection.qrels.get(query, {})
        ids = sorted((str(c.id) for c in found), key=lambda doc: -grades.get(doc, 0))
        rankings[query] = Ranked(ids, [float(grades.get(doc, 0)) for doc in ids])
    return Run("qrels", rankings)


def row(name: str, found: list[Teaching]) -> str:
    def mean(system: str) -> float:
        return fmean(one.means[system] for one in found)

    def rate(system: str) -> str:
        rates = [one.rates[system] for one in found]
        return f"{fmean(rates):.1f}" if None not in rates else "—"  # type: ignore[arg-type]

    gain = mean("teacher") - mean("retriever")
    share = (mean("student") - mean("retriever")) / gain if gain > 0 else None
    cells = [
        name,
        *(
            f"{mean(system):.4f}"
            for system in ("retriever", "default", "teacher", "student", "student int8")
        ),
        "—" if share is None else f"{share:.0%}",
        " ".join(f"{one.training['steps']} ({one.training['best_step']})" for one in found),
        f"{fmean(one.training['seconds'] for one in found) / 60:.1f}",
        rate("student"),
        rate("student int8"),
        f"{sum(one.config is not None for one in found)} of {len(found)}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--folds", type=int, default=PARTS, choices=range(1, PARTS + 1))
    asked.add_argument("--queries", type=int, nargs="+", default=[40, 80, 240])
    asked.add_argument("--teachers", nargs="+", default=["qwen", "qrels"])
    asked.add_argument("--depth", type=int, default=20)
    asked.add_argument("--held-out", type=int, default=60, help="at most, of a part")
    asked.add_argument("--keep", type=Path, help="where the students are kept")
    settings = Settings()
    for name in ("steps", "every", "epochs", "documents", "batch", "max_length", "seed"):
        flag = f"--{name.replace('_', '-')}"
        asked.add_argument(flag, type=int, default=getattr(settings, name))
    asked.add_argument("--learning-rate", type=float, default=5e-5)
    asked.add_argument("--loss", default=settings.loss)
    options = asked.parse_args()
    settings = Settings(
        **{
            name: getattr(options, name)
            for name in settings.to_dict()
            if hasattr(options, name) and name != "held_out"
        }
    )
    data = SciFact().folder
    collection = load(data, base=data / "runs" / "bm25-top20.trec", depth=options.depth)
    teachers = {
        "qwen": read_run(data / "runs" / f"{QWEN}.trec", "Qwen2.5-3B"),
        "qrels": by_judgement(collection),
    }
    folds = parts(collection)[: options.folds]
    print(f"{settings}\n{len(folds)} of {PARTS} folds, {options.depth} candidates a query\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    place = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory()
    with place as folder:
        at = Path(folder)
        start = at / "minilm"
        if not (start / "model.safetensors").exists():
            minilm_cross_encoder(start)
        for teacher in options.teachers:
            for count in options.queries:
                found = []
                for number, fold in enumerate(folds):
                    held_out = fold[: options.held_out]
                    others = [q for q in sorted(collection.candidates) if q not in fold]
                    random.Random(number).shuffle(others)
                    name = f"{teacher}-{count}-{number}"
                    found.append(
                        teach(
                            collection.only({*held_out, *others[:count]}),
                            teachers[teacher],
                            at / name,
                            start=str(start),
                            config=at / f"{name}.toml",
                            settings=settings,
                            held_out=held_out,
                            name=teachers[teacher].name,
                        )
                    )
                    each = row(f"{teacher}, {count}, fold {number}", found[-1:])
                    print(each, found[-1].verdict(), *found[-1].notes, sep="\n  ", file=sys.stderr)
                print(row(f"{teachers[teacher].name}, {count}", found), flush=True)


if __name__ == "__main__":
    main()
