"""A score as bytes, with a check sum: a store must not invent one, whatever became of its bytes."""

from __future__ import annotations

import math
import struct
from zlib import crc32

from ..protocols import StoredScore

# score, raw (NaN for none), and the check sum over the key and both; little-endian
_LAYOUT, _SUM = struct.Struct("<dd"), struct.Struct("<I")


def pack(key: bytes, value: StoredScore) -> bytes:
    """The score as 20 bytes that are good under this key only."""
    score, raw = value
    numbers = _LAYOUT.pack(score, math.nan if raw is None else raw)
    return numbers + _SUM.pack(crc32(numbers, crc32(key)))


def unpack(key: bytes, packed: object) -> StoredScore | None:
    """The score, or None for bytes that `pack` did not make for this key."""
    if not isinstance(packed, bytes) or len(packed) != _LAYOUT.size + _SUM.size:
        return None
    numbers, check = packed[: _LAYOUT.size], packed[_LAYOUT.size :]
    if _SUM.pack(crc32(numbers, crc32(key))) != check:
        return None
    score, raw = _LAYOUT.unpack(numbers)
    return score, None if math.isnan(raw) else raw
