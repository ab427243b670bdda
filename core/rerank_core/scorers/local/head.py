"""Refuses what loads without complaint and ranks at random: an encoder without a classification
head, which transformers gives a new one with random weights, another in each process; and a model
without the files of its tokenizer, to which all words are the same.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError

#: Where repositories keep their weights; an index names those of several files.
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
#: What architectures are called that have the head of a reranker.
_RANKING = ("ForSequenceClassification", "ForCausalLM", "ForConditionalGeneration")
#: What they are called that have another or none. Others are let be: a model may bring its own.
_OTHER = ("Model", "ForMaskedLM", "ForPreTraining", "ForTokenClassification")
#: Fewer words than this are none: what a tokenizer has that was made of no file.
_FEWEST = 4
#: Two texts that no tokenizer takes for one.
_TEXTS = ("red apples", "seven boats at sea")


def refuse_without_head(encoder: Any, model: str, revision: str | None) -> None:
    """Raise `ConfigurationError` for a sentence-transformers cross-encoder whose head was not in
    the checkpoint: by the names of its weights, else by the architecture that its config tells.
    """
    inner = getattr(encoder, "model", None)
    if not type(inner).__name__.endswith("ForSequenceClassification"):
        return  # a causal model is read by its own words, and other backends by their files
    trunk = f"{getattr(inner, 'base_model_prefix', '') or 'model'}."
    head = [name for name in inner.state_dict() if not name.startswith(trunk)]  # type: ignore[union-attr]
    stored = _stored(model, revision)
    if stored is None:
        refuse_architecture(model, getattr(encoder.config, "architectures", None))
    elif head and not any(key.endswith(name) for name in head for key in stored):
        raise _headless(model)


def refuse_architecture(model: str, architectures: Sequence[str] | None) -> None:
    """Raise `ConfigurationError` where a model's config says that it has no head for ranking."""
    told = [str(one) for one in architectures or ()]
    if (
        told
        and not any(one.endswith(_RANKING) for one in told)
        and all(one.endswith(_OTHER) for one in told)
    ):
        raise _headless(model, f" ({', '.join(told)})")


def refuse_without_tokenizer(tokenizer: Any, model: str) -> None:
    """Raise `ConfigurationError` where all words are the same to a transformers tokenizer."""
    if tokenizer is None or not callable(tokenizer):
        return
    first, second = (list(tokenizer(text)["input_ids"]) for text in _TEXTS)
    special = set(getattr(tokenizer, "all_special_ids", ()))
    # a small vocabulary may know neither text, and yet be one
    words = set(tokenizer.get_vocab().values()) - special
    if len(words) < _FEWEST and (first == second or not (set(first) | set(second)) - special):
        raise ConfigurationError(
            f"{model} has no files of a tokenizer, so that all words are the same to it: copy "
            "tokenizer.json (or vocab.txt, sentencepiece.bpe.model) from the model that it was "
            "made of, or save it again together with its tokenizer"
        )


def _headless(model: str, more: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"{model} is an encoder without a classification head{more}: it would be given a random "
        f'one and rank at random. Name a reranker, or use it for what it is: "embedding:{model}"'
    )


def _stored(model: str, revision: str | None) -> Collection[str] | None:
    """The names of the weights in the checkpoint; None where they cannot be told."""
    if (index := _file(model, _INDEX, revision)) is not None:
        names: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return names.keys()
    if (weights := _file(model, _WEIGHTS, revision)) is None:
        return None
    with weights.open("rb") as file:  # https://huggingface.co/docs/safetensors: a header of JSON
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    return header.keys() - {"__metadata__"}


def _file(model: str, name: str, revision: str | None) -> Path | None:
    if (folder := Path(model)).exists():
        return folder / name if (folder / name).is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, name, revision=revision)
    return Path(found) if isinstance(found, str) else None
