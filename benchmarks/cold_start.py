"""From the start of a process to its first ranking, with torch and without.

    python benchmarks/cold_start.py [--rounds 5]

Ten documents, the model on disk in the shape of ms-marco-MiniLM-L6. Each round is a fresh process;
rounds are interleaved, figures are medians. Peak memory is what the process itself reports.
"Installed" is the size of the scorer's packages with all that they require, from the metadata of
this environment: the same as a fresh `pip install dropin-rerank[extra]` would bring, except that
an extra's dependencies are taken to be those named here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / place) for place in ("core", "tests")]

from models import add_int8, add_onnx, minilm_cross_encoder  # noqa: E402

CORE = ["PyStemmer", "json-repair", "tenacity"]
ONNX = [*CORE, "onnxruntime", "tokenizers", "huggingface_hub"]
TORCH = [*CORE, "sentence-transformers"]

SCORERS = {
    "OnnxCrossEncoderScorer": ("onnx import OnnxCrossEncoderScorer as S", "S({0!r})", ONNX),
    "OnnxCrossEncoderScorer int8": (
        "onnx import OnnxCrossEncoderScorer as S",
        "S({0!r}, precision='int8')",
        ONNX,
    ),
    "CrossEncoderScorer": (
        "cross_encoder import CrossEncoderScorer as S",
        "S({0!r}, device='cpu')",
        TORCH,
    ),
}

CODE = """
import pathlib, resource
from rerank_core import Reranker
from rerank_core.scorers.{what}
ranking = Reranker(scorer={make}).rank("what is it", ["a passage of a few words"] * 10)
assert ranking.report.coverage == 1
status = pathlib.Path("/proc/self/status")
if status.exists():  # on Linux ru_maxrss starts at what the parent process had
    print(*(line.split()[1] for line in status.open() if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def first_ranking(what: str, make: str) -> tuple[float, float]:
    """Seconds, and megabytes at most."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "core"), "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", CODE.format(what=what, make=make)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    return time.perf_counter() - start, int(ran.stdout.split()[-1]) * unit / 1e6


def installed(names: list[str]) -> tuple[float, int]:
    """Megabytes and number of these packages and all that they require."""
    from packaging.requirements import Requirement

    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        wanted = map(Requirement, found[name].requires or [])
        waiting += [
            one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    files = (file.locate() for one in found.values() for file in one.files or [])
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file()) / 1e6, len(
        found
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    rounds = asked.parse_args().rounds
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in SCORERS}
    with tempfile.TemporaryDirectory() as folder:
        model = str(minilm_cross_encoder(Path(folder)))
        add_onnx(Path(folder))
        add_int8(Path(folder))
        for _ in range(rounds + 1):
            for name, (what, make, _) in SCORERS.items():
                seen[name].append(first_ranking(what, make.format(model)))
    print("| scorer | first ranking, s | peak memory, MB | installed, MB | packages |")
    print("|---|---|---|---|---|")
    for name, (_, _, names) in SCORERS.items():
        seconds, memory = (
            statistics.median(column) for column in zip(*seen[name][1:], strict=True)
        )
        size, count = installed(names)
        print(f"| {name} | {seconds:.2f} | {memory:.0f} | {size:.0f} | {count} |")


if __name__ == "__main__":
    main()
