"""Cross-encoders in sentence-transformers."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError, MissingExtraError
from rerank_core.runtime.numbers import sigmoid
from rerank_core.scorers import EmbeddingScorer
from rerank_core.scorers.local import cross_encoder, model_files
from rerank_core.scorers.local.cross_encoder import CrossEncoderScorer

pytest.importorskip("sentence_transformers")
models = pytest.importorskip("models")

QUERY = "what is the capital of france"
TEXTS = ["paris is a city in france", "rome", "berlin is a city. " * 40, "", "paris", "a " * 30]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = models.tiny_cross_encoder(tmp_path_factory.mktemp("tiny"))
    return folder


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = models.tiny_causal_reranker(tmp_path_factory.mktemp("causal"))
    return folder


def scorer_of(model: Path, **options: Any) -> CrossEncoderScorer:
    return CrossEncoderScorer(str(model), device="cpu", **options)


def score(scorer: Any, texts: Sequence[str] = TEXTS) -> Any:
    return asyncio.run(scorer.score(QUERY, texts))


def test_logits_are_those_of_sentence_transformers(folder: Path) -> None:
    """Raw scores are what `predict` gives without an activation; scores are their sigmoid."""
    import torch
    from sentence_transformers import CrossEncoder

    encoder = CrossEncoder(str(folder), device="cpu")
    expected = encoder.predict([(QUERY, t) for t in TEXTS], activation_fn=torch.nn.Identity())

    scores = score(scorer_of(folder))

    assert scores.raw == pytest.approx(expected.tolist(), abs=1e-5)
    assert list(scores) == [sigmoid(logit) for logit in scores.raw]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_score_depends_on_no_neighbour(folder: Path, batch_size: int) -> None:
    """Alone or among others, whatever goes through the model at once."""
    alone = [score(scorer_of(folder), [text]).raw[0] for text in TEXTS]

    assert score(scorer_of(folder, batch_size=batch_size)).raw == pytest.approx(alone, abs=1e-5)


def test_a_causal_model_gives_the_log_odds_of_yes(causal: Path) -> None:
    """The logit is that of "yes" less that of "no" after the prompt."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(causal)
    model: Any = AutoModelForCausalLM.from_pretrained(causal)
    model.eval()
    messages = [{"role": "query", "content": QUERY}, {"role": "document", "content": "rome"}]
    prompt = tokenizer.apply_chat_template(messages, tokenize=False)
    with torch.inference_mode():
        last = model(**tokenizer(prompt, return_tensors="pt")).logits[0, -1]
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))

    assert score(scorer_of(causal), ["rome"]).raw[0] == pytest.approx(
        float(last[yes] - last[no]), abs=1e-4
    )


def test_padding_does_not_move_a_causal_model(causal: Path) -> None:
    """Short texts beside long ones keep their scores."""
    alone = [score(scorer_of(causal), [text]).raw[0] for text in TEXTS]

    assert score(scorer_of(causal, batch_size=6)).raw == pytest.approx(alone, abs=1e-5)


def test_an_instruction_reaches_the_model(causal: Path) -> None:
    """It changes the scores, and the fingerprint."""
    plain, told = scorer_of(causal), scorer_of(causal, instruction="find the city")

    assert score(plain).raw != pytest.approx(score(told).raw)
    assert plain.fingerprint != told.fingerprint


def test_bfloat16_is_asked_for(folder: Path) -> None:
    """Scores in bfloat16 are near those in fp32; nobody gets them unasked."""
    exact, rounded = score(scorer_of(folder)), score(scorer_of(folder, dtype="bfloat16"))

    assert rounded.raw == pytest.approx(exact.raw, abs=0.2)
    assert rounded.raw != exact.raw


@pytest.mark.parametrize(
    ("backend", "package"), [("onnx", "optimum.onnxruntime"), ("openvino", "optimum.intel")]
)
def test_another_backend_says_the_same(folder: Path, backend: Any, package: str) -> None:
    """sentence-transformers exports the model and runs it there: one pass at a time, all cores."""
    pytest.importorskip(package, reason=f"{package} holds sentence-transformers below 6")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exporters' own
        scores = score(scorer_of(folder, backend=backend))

    assert scores.raw == pytest.approx(score(scorer_of(folder)).raw, abs=1e-4)
    assert scorer_of(folder, backend=backend).max_concurrency == 1


def test_a_classifier_is_refused(tmp_path: Path) -> None:
    """Three labels are no relevance, and it says so when it loads."""
    models.tiny_cross_encoder(tmp_path, labels=3)

    with pytest.raises(ConfigurationError, match="gives 3 labels a pair"):
        asyncio.run(scorer_of(tmp_path).warm_up())


def test_two_labels_are_no_and_yes(tmp_path: Path) -> None:
    """One score a text, not two."""
    models.tiny_cross_encoder(tmp_path, labels=2)

    assert len(score(scorer_of(tmp_path)).raw) == len(TEXTS)


def test_one_model_is_loaded_for_all_who_ask(folder: Path) -> None:
    """The same arguments share a model; when the last scorer lets go, so does the process."""
    scorers = [scorer_of(folder, max_length=32) for _ in range(4)]

    async def together() -> None:
        await asyncio.gather(*(scorer.warm_up() for scorer in scorers))

    asyncio.run(together())

    assert len({id(scorer._shared.model) for scorer in scorers}) == 1


def test_many_threads_at_once(folder: Path) -> None:
    """Two lengths, twenty calls at once: everybody gets what they would have got alone."""
    long, short = scorer_of(folder), scorer_of(folder, max_length=12)
    alone = score(long).raw, score(short).raw

    async def together() -> Any:
        calls = (scorer.score(QUERY, TEXTS) for scorer in (long, short) for _ in range(10))
        return await asyncio.gather(*calls)

    found = [scores.raw for scores in asyncio.run(together())]

    assert alone[0] != alone[1]
    assert found == [alone[0]] * 10 + [alone[1]] * 10


def test_the_threads_of_others_keep_their_cores(folder: Path) -> None:
    """A pass takes its share of them in its own thread; torch elsewhere computes as before."""
    import threading

    import torch

    usual = torch.get_num_threads()
    scorer = scorer_of(folder)
    share: list[int] = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda *_: share.append(torch.get_num_threads())
    )
    try:
        score(scorer)
    finally:
        hook.remove()
    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(torch.get_num_threads()))
    thread.start()
    thread.join()

    assert set(share) == {max(1, usual // scorer.max_concurrency)}
    assert others == [usual] == [torch.get_num_threads()]


def test_a_thread_may_have_another_share_later() -> None:
    """A cross-encoder's thread has all of torch's threads again when an encoder runs in it."""
    import threading

    import torch

    from rerank_core.scorers.local.local_model import torch_in_this_thread

    usual = torch.get_num_threads()
    had: list[int] = []

    def one_after_another() -> None:
        for share in (2, 1, 1, 2):
            torch_in_this_thread(share=share)
            had.append(torch.get_num_threads())

    thread = threading.Thread(target=one_after_another)
    thread.start()
    thread.join()

    assert had == [max(1, usual // 2), usual, usual, max(1, usual // 2)]
    assert torch.get_num_threads() == usual


def test_batches_are_a_few_passes(folder: Path) -> None:
    """Each position once, in retrieval order; the first batch is one pass."""
    groups = scorer_of(folder, batch_size=5).groups(QUERY, ["text"] * 47)

    assert [place for group in groups for place in group] == list(range(47))
    assert [len(group) for group in groups] == [5, 10, 20, 12]


def test_cancelling_stops_the_work_within_a_pass(folder: Path) -> None:
    """The caller is free at once; the model gives up between two layers."""
    scorer = scorer_of(folder, batch_size=1)

    async def cancelled() -> Any:
        await scorer.warm_up()
        task = asyncio.create_task(scorer.score(QUERY, ["paris"] * 100_000))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.wait_for(scorer.score(QUERY, ["paris"]), 10)  # the lock is free

    assert asyncio.run(cancelled())[0] is not None


def test_what_cannot_be_fetched_says_why(tmp_path: Path) -> None:
    """A folder that is not there."""
    with pytest.raises(ConfigurationError, match="there is no folder"):
        scorer_of(tmp_path / "no" / "such" / "folder")


def test_offline_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the loader wraps in an OSError is seen through."""
    import sentence_transformers
    from huggingface_hub.errors import LocalEntryNotFoundError

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("can't load it") from LocalEntryNotFoundError("offline")

    monkeypatch.setattr(model_files, "_is_to_be_fetched", lambda model: False)
    monkeypatch.setattr(sentence_transformers, "CrossEncoder", refuse)

    with pytest.raises(ConfigurationError, match="hf download nobody/none"):
        asyncio.run(CrossEncoderScorer("nobody/none").warm_up())


@pytest.mark.parametrize("kind", [CrossEncoderScorer, EmbeddingScorer])
def test_a_hub_that_is_not_there_is_asked_once(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For one file, and its log of the tries is left out: the error says it all. Not that of other
    threads, nor what else it tells."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    log = logging.getLogger("huggingface_hub.utils._http")
    asked: list[str] = []

    def tell() -> None:
        for _ in range(5):
            log.warning("'no route' thrown while requesting HEAD https://hub/config.json")
            log.warning("Retrying in 1s [Retry 1/5].")

    def refuse(model: str, name: str, **options: object) -> None:
        asked.append(name)
        tell()
        log.warning("Set HF_TOKEN")
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    told: list[str] = []
    monkeypatch.setattr(log, "callHandlers", lambda record: told.append(record.msg))

    with pytest.raises(ConfigurationError, match="hf download nobody/nothing"):
        asyncio.run(kind("nobody/nothing").warm_up())

    assert asked == ["config.json"]
    assert told == ["Set HF_TOKEN"]
    tell()
    assert len(told) == 11


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backend": "jax"}, "backend is 'torch', 'onnx' or 'openvino', not 'jax'"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"max_length": 2}, "max_length is at least 8"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    """Nothing is loaded to find out."""
    with pytest.raises(ConfigurationError, match=said):
        CrossEncoderScorer("m", **options)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sentence-transformers the message is the command."""
    monkeypatch.setattr("rerank_core.errors.find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"the extra 'cross-encoder' .*pip install"):
        CrossEncoderScorer()


def test_it_asks_for_a_gpu_where_it_would_compute_on_one(folder: Path) -> None:
    """As an encoder of the same kind does; not where it is kept to the processor, or asks a server.

    Ray gives a worker one by it.
    """
    for kind in (CrossEncoderScorer, EmbeddingScorer):
        assert kind(str(folder)).takes_gpu
        assert not kind(str(folder), device="cpu").takes_gpu
    assert not EmbeddingScorer(api_key="none").takes_gpu


def test_it_pickles_without_its_model(folder: Path) -> None:
    """On the other side it loads again."""
    scorer = scorer_of(folder)
    before = score(scorer)

    assert score(pickle.loads(pickle.dumps(scorer))) == before


@pytest.mark.slow
def test_the_process_ends_in_the_middle_of_a_pass(folder: Path) -> None:
    """A deadline, then the end of the program: no wait for the rest, and no crash."""
    code = f"""
import asyncio
import logging
from rerank_core.scorers.local.cross_encoder import CrossEncoderScorer
scorer = CrossEncoderScorer({str(folder)!r}, device="cpu", batch_size=200)
async def main():
    await scorer.warm_up()
    try: await asyncio.wait_for(scorer.score("a", ["what is the capital " * 20] * 20000), 0.3)
    except TimeoutError: print("given up")
asyncio.run(main())
"""
    path = {**os.environ, "PYTHONPATH": str(Path(cross_encoder.__file__).parents[3])}

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=path, timeout=120
    )

    assert (ran.stdout.strip(), ran.returncode) == ("given up", 0)
