"""How long a server takes, as a stated model."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Seconds a reply takes: any mix of a cost a call, a document and a token.

    `Latency(call=0.3, document=0.002)` is a plain server;
    `Latency(first_token=0.4, input_token=0.00002, output_token=0.01)` a language model.
    A `tail_share` of the calls, the same ones for the same seed, takes `tail_factor` times longer.
    """

    call: float = 0.0
    document: float = 0.0
    first_token: float = 0.0
    input_token: float = 0.0
    output_token: float = 0.0
    tail_share: float = 0.0
    tail_factor: float = 20.0
    seed: int = 0

    def seconds(
        self, number: int, documents: int = 0, input_tokens: int = 0, output_tokens: int = 0
    ) -> float:
        """What the `number`-th call takes."""
        usual = (
            self.call
            + self.first_token
            + self.document * documents
            + self.input_token * input_tokens
            + self.output_token * output_tokens
        )
        slow = random.Random(f"{self.seed}/{number}").random() < self.tail_share
        return usual * self.tail_factor if slow else usual
