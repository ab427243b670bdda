"""Embeddings that need no model: the letters that a text has, as a unit vector."""

from __future__ import annotations

import math

from langchain_core.embeddings import Embeddings


class Letters(Embeddings):
    """Texts with the same letters are near one another."""

    def embed_query(self, text: str) -> list[float]:
        vector = [1.0 + text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
        length = math.hypot(*vector)
        return [number / length for number in vector]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]
