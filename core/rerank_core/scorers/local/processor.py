"""What the processor at hand computes int8 with, and so which file suits it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

#: The names that sentence-transformers gives its exports, then those of other exporters.
_VNNI: tuple[str, ...] = ("model_qint8_avx512_vnni.onnx", "model_qint8_avx512.onnx")
_AVX2: tuple[str, ...] = ("model_quint8_avx2.onnx",)
_ARM: tuple[str, ...] = ("model_qint8_arm64.onnx",)
_ANY = ("model_int8.onnx", "model_quantized.onnx")


def int8_names() -> Sequence[str]:
    """The names of int8 files that this processor is good at, the best first."""
    suited = _ARM if _is_arm() else _AVX2 if saturates() else _VNNI + _AVX2
    names = suited + _ANY
    return [f"{folder}{name}" for name in names for folder in ("onnx/", "")]


def saturates() -> bool:
    """Whether int8 products overflow unless weights keep to seven bits: x86 without VNNI.

    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """
    return not _is_arm() and not any("vnni" in flag for flag in _flags())


def has_bf16() -> bool:
    """Whether the processor multiplies bf16 itself (AVX512-BF16 or AMX); else it is slower."""
    return bool(_flags() & {"avx512_bf16", "amx_bf16", "bf16"})


def _is_arm() -> bool:
    return platform.machine().lower() in ("arm64", "aarch64")


@cache
def _flags() -> frozenset[str]:
    """What Linux says the processor can do; nothing elsewhere, where nobody says it so simply."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, flags = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return frozenset(flags.split())
    return frozenset()
