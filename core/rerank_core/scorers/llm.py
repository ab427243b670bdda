"""An LLM as a scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..chat import chat_model
from ..errors import ConfigurationError, Reason, ScorerError
from ..llm.prompts import Prompt, scores_schema
from ..parsing import parse_scores
from ..seams import ScorerBase, Scores
from ..truncation import truncate
from ..usage import record

#: Output tokens for one document's entry, with room for white space, and for the frame.
TOKENS_PER_SCORE, TOKENS_FOR_FRAME = 24, 64


class LLMScorer(ScorerBase):
    """Has an LLM grade the candidates, a group of them in one call.

    `llm`: a LangChain chat model, a LlamaIndex LLM, any `rerank_core.seams.ChatModel`, or, as
    `model`, a model's name on an OpenAI-compatible server. Neither: `RERANK_MODEL` from the
    environment, else gpt-4o-mini. `base_url` and `api_key` are for a model by name; left out, they are
    `OPENAI_BASE_URL` and `OPENAI_API_KEY`.

    `instruction` tells the model about the domain and what counts as relevant. `group_size`
    documents share a call, each by its first `max_chars` characters. Grades run over `scale` and
    leave on 0..1; None for a document that the reply leaves out.

    Raises `MissingKeyError`, `MissingExtraError` or `ConfigurationError` here.
    """

    name = "llm"
    independent = False
    max_concurrency = 16
    default_timeout = 5.0

    def __init__(
        self,
        llm: Any = None,
        *,
        model: str | None = None,
        instruction: str | None = None,
        prompt: Prompt | None = None,
        group_size: int = 10,
        max_chars: int = 1000,
        scale: tuple[int, int] = (0, 10),
        base_url: str | None = None,
        api_key: str | None = None,
    ) -> None:
        if group_size < 1 or max_chars < 1:
            raise ConfigurationError("group_size and max_chars are at least 1")
        if not scale[0] < scale[1]:
            raise ConfigurationError(f"scale is (low, high) with low < high, not {scale}")
        if llm is not None and model is not None:
            raise ConfigurationError("give llm= or model=, not both")
        self.chat = chat_model(llm or model, base_url=base_url, api_key=api_key)
        if not isinstance(llm or model or "", str):
            self.max_attempts = 1  # the user's own model object brings retries of its own
        self.prompt = prompt or Prompt(**({"instruction": instruction} if instruction else {}))
        self.batch_size = group_size
        self.max_chars, self.scale = max_chars, scale
        self.fingerprint = (
            f"llm/batch/{self.chat.model}/{self.prompt.version}/{self.prompt.instruction}/"
            f"{scale}/{max_chars}/{group_size}"
        )

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """The grade of each text on 0..1, None where the reply has none; all in one call.

        Raises `ScorerError` if the call fails, or if no grade at all can be read.
        """
        if not texts:
            return []
        shown = [truncate(text, self.max_chars) for text in texts]
        record(truncated=sum(cut for _, cut in shown))
        system, user = self.prompt.render(query, [text for text, _ in shown], self.scale)
        reply = await self.chat.complete(
            system,
            user,
            schema=scores_schema(self.scale),
            max_tokens=TOKENS_FOR_FRAME + TOKENS_PER_SCORE * len(texts),
        )
        scores = parse_scores(reply.text, len(texts), self.scale)
        if all(score is None for score in scores):
            raise ScorerError(
                f"no score could be read from the reply of {self.chat.model}: {reply.text!r:.120}",
                reason=Reason.UNPARSEABLE,
                retryable=not reply.text.strip(),
            )
        low, high = self.scale
        return Scores(scores, [None if s is None else low + s * (high - low) for s in scores])

    async def warm_up(self) -> None:
        """Let the chat model import and connect what it must."""
        load = getattr(self.chat, "warm_up", None)
        if load is not None:
            await load()

    async def aclose(self) -> None:
        """Close the chat model's client."""
        close = getattr(self.chat, "aclose", None)
        if close is not None:
            await close()

    def __repr__(self) -> str:
        return f"LLMScorer({self.chat!r})"
