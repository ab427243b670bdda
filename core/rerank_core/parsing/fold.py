"""Characters that mean the same, made the same: digits of every script, brackets, signs, spaces."""

from __future__ import annotations

import unicodedata

_SAME = {
    "٫": ".", "。": ".", "，": ",", "،": ",", "、": ",", "؛": ";", "︰": ":", "∶": ":",
    "【": "[", "】": "]", "〔": "[", "〕": "]", "「": '"', "」": '"', "『": '"', "』": '"',
    "〈": "<", "〉": ">", "⟦": "[", "⟧": "]",
    "≻": ">", "→": ">", "⇒": ">", "➡": ">", "➔": ">", "➜": ">", "⟶": ">", "⟹": ">", "▶": ">",
    "»": ">", "›": ">", "≫": ">", "≥": ">", "⩾": ">", "►": ">", "▷": ">",
    "≺": "<", "←": "<", "⇐": "<", "≤": "<", "≪": "<",
    "−": "-", "‐": "-", "‑": "-", "‒": "-", "–": "-", "－": "-", "—": " - ", "―": " - ",
    "～": "-", "〜": "-", "≈": "~", "∼": "~", "⁄": "/", "∕": "/", "٪": "%", "％": "%",
    "“": '"', "”": '"', "„": '"', "‟": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'",
    "•": "-", "◦": "-", "▪": "-", "●": "-", "·": "-", "‣": "-",
    "🔟": " 10 ", "\u2028": "\n", "\u2029": "\n", "\u0085": "\n",
}  # fmt: skip


def fold(text: str) -> str:
    """`text` with look-alike characters folded to ASCII: other scripts' digits, `＞`, `【1】`, ③.

    No normalization form is used, as reordering long runs of combining marks is quadratic.
    """
    if not text.isascii():
        text = text.translate({ord(c): _folded(c) for c in set(text) if c > "\x7f"})
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _folded(char: str) -> str:
    if char in _SAME:
        return _SAME[char]
    if "！" <= char <= "～":  # the full-width forms of ASCII
        return chr(ord(char) - 0xFEE0)
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    if category == "No":
        return _enclosed_number(char)
    if category in ("Cf", "Cs") or char in "\ufe0f\u20e3":  # joiners, marks of direction, keycaps
        return ""
    return " " if category in ("Zs", "Cc") else char


def _enclosed_number(char: str) -> str:
    number = unicodedata.numeric(char, 0.5)
    footnote = unicodedata.decomposition(char).startswith(("<super>", "<sub>"))
    # Spaces keep neighbours such as ①② from growing together into 12.
    return f" {int(number)} " if number.is_integer() and not footnote else char
