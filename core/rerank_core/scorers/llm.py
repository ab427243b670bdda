"""An LLM as a scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self, get_args

from ..chat import chat_model
from ..errors import ConfigurationError
from ..listwise import AlgorithmName
from ..llm.asking import Asker
from ..llm.batch import BatchStrategy
from ..llm.budget import Budget
from ..llm.counting import CheckedCount, count_name
from ..llm.excerpts import Lengths, LongDocuments
from ..llm.listwise import ListwiseStrategy
from ..llm.pointwise import PointwiseStrategy
from ..llm.prompts import PROMPTS, Prompt, StrategyName
from ..llm.strategy import Strategy
from ..protocols import ScorerBase
from ..remote.identity import checked_cache_name
from ..runtime.checks import one_of
from ..text.truncation import Count

#: How many documents share a call, and how many a listwise algorithm has ordered at once.
GROUP_SIZE, WINDOW = 10, 20
#: Room for a window of the chunks that the frameworks' splitters make unless told otherwise: 1,024
#: tokens of LlamaIndex' `SentenceSplitter`, 4,000 characters of LangChain's, headers and fences
#: beside them. So none of these is cut.
GROUP_TOKENS = 24_000


class LLMScorer(ScorerBase):
    """Has an LLM grade the candidates.

    `llm`: a LangChain chat model, a LlamaIndex LLM, any `rerank_core.protocols.ChatModel`, or, as
    `model`, a model's name on an OpenAI-compatible server. Neither: `RERANK_MODEL` from the
    environment, else gpt-4o-mini. `base_url` (which may have parameters: `?api-version=…`) and
    `api_key` are for a model by name; left out, they are `OPENAI_BASE_URL` and `OPENAI_API_KEY`.
    `headers` are sent with every call; `http_client` is an httpx client to call with.
    `client`, or `llm` beside `model`: a client of the official SDK (`AsyncOpenAI`, `OpenAI`,
    `AsyncAzureOpenAI`, `AzureOpenAI`) that has all of these itself. Clients of your own are called
    on your loop, a sync one in threads; they are yours to close, and their retries are left off,
    as the reranker has its own.

    `strategy`: "batch" grades a group in one call, up to `group_size` documents; "pointwise" one
    document a call, by the log probabilities where there are any; "listwise" has groups of
    `window` documents ordered by an `algorithm` ("top-down", "sliding-window" or "blocks", with
    its `algorithm_options`), and its scores only tell an order. `passes`: each is asked as often,
    in shuffled order, and the mean is taken, against a model's liking for a position.

    `instruction` tells the model about the domain and what counts as relevant; `prompt` replaces
    the whole. Grades run over `scale` and leave on 0..1; None for a document that the reply
    leaves out.

    The query and the documents of one call have `group_tokens` together, and a document is shown as
    far as there is room for it: a group has fewer long ones. `max_chars` characters or
    `document_tokens` tokens of each are the most, where they are given; or with
    `long_documents="best-passage"` it is graded by its best passage of that size (else of 1,000
    characters). Tokens are counted by `count_tokens`, such as
    `len(encoding.encode(text, disallowed_special=()))` of the model's tokenizer; else, and where
    that raises or gives no whole number, they are estimated.

    `max_calls`, `max_tokens` and `max_cost` (US dollars) are hard caps on one ranking: what is in
    when the next call has no room counts, and the report has the reason "budget".

    The cache knows a model by its name, its server and its parameters, an object of your own by its
    fields. Where these cannot be told for certain (a function, a model that is chosen when it is
    called) nothing is cached, unless `cache_name` says what they are.

    Raises `MissingKeyError`, `MissingExtraError` or `ConfigurationError` here.
    """

    name = "llm"
    max_concurrency = 32
    default_timeout = 5.0

    def __init__(
        self,
        llm: Any = None,
        *,
        model: str | None = None,
        strategy: StrategyName = "batch",
        group_size: int | None = None,
        algorithm: AlgorithmName | None = None,
        window: int | None = None,
        algorithm_options: Mapping[str, Any] | None = None,
        passes: int = 1,
        instruction: str | None = None,
        prompt: Prompt | None = None,
        scale: tuple[int, int] = (0, 10),
        max_chars: int | None = None,
        document_tokens: int | None = None,
        group_tokens: int = GROUP_TOKENS,
        long_documents: LongDocuments = "truncate",
        count_tokens: Count | None = None,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: Any = None,
        http_client: Any = None,
        cache_name: str | None = None,
    ) -> None:
        one_of("strategy", strategy, get_args(StrategyName))
        if not scale[0] < scale[1]:
            raise ConfigurationError(f"scale is (low, high) with low < high, not {scale}")
        if prompt is not None and not isinstance(prompt, Prompt):
            raise ConfigurationError(
                "prompt is a Prompt from rerank_core.llm.prompts (in LangChain's wrappers a "
                f"PromptTemplate, too), not {prompt!r:.80}"
            )
        one_of("long_documents", long_documents, get_args(LongDocuments))
        self.chat = chat_model(
            llm,
            model=model,
            base_url=base_url,
            api_key=api_key,
            headers=headers,
            client=client,
            http_client=http_client,
        )
        if getattr(self.chat, "retries_itself", True):
            self.max_attempts = 1  # the user's own model object brings retries of its own
        prompt = prompt or PROMPTS[strategy]
        if instruction:
            prompt = prompt.with_instruction(instruction)
        tariff = getattr(self.chat, "tariff", None)
        asker = Asker(
            self.chat,
            prompt,
            scale,
            Lengths(
                max_chars,
                document_tokens,
                group_tokens,
                best_passage=long_documents == "best-passage",
                count=None if count_tokens is None else CheckedCount(count_tokens),
            ),
            Budget(
                max_calls,
                max_tokens,
                max_cost,
                price=tariff.cost if tariff is not None else _unknown,
                model=self.chat.model,
            ),
            self.max_concurrency,
            self.max_attempts,
        )
        self.scale = scale
        counted = "" if count_tokens is None else count_name(count_tokens)
        self._lengths = f"{max_chars}/{document_tokens}/{group_tokens}/{long_documents}{counted}"
        self._named = getattr(self.chat, "identity", None)
        if cache_name is not None:
            self._named = f"cache_name {checked_cache_name(cache_name)}"
        self._take_on(
            _strategy(
                strategy,
                asker,
                passes,
                group_size=group_size,
                algorithm=algorithm,
                window=window,
                algorithm_options=algorithm_options,
            )
        )

    @property
    def model(self) -> str:
        """The chat model's name."""
        return self.chat.model

    @property
    def prompt(self) -> Prompt:
        """What is said to the model."""
        return self.strategy.asker.prompt

    def with_prompt(self, prompt: Prompt) -> Self:
        """Another scorer, which says this to the same model; this one stays as it is.

        A prompt is part of what a score depends on: a cache keeps the two apart.
        """
        strategy = copy(self.strategy)
        strategy.asker = replace(strategy.asker, prompt=prompt)
        other = copy(self)
        other._take_on(strategy)
        return other

    def with_instruction(self, instruction: str) -> Self:
        """Another scorer, which tells the same model so; this one stays as it is.

        Raises `ConfigurationError` where the prompt has no place for it.
        """
        return self.with_prompt(self.prompt.with_instruction(instruction))

    def _take_on(self, strategy: Strategy) -> None:
        """Become what the strategy is: the engine looks at these, and at whether they are there."""
        self.strategy = strategy
        self.independent, self.ordinal = strategy.independent, strategy.ordinal
        self.batch_size = strategy.batch_size
        for name in ("groups", "stream"):
            if hasattr(strategy, name):
                setattr(self, name, getattr(strategy, name))
        #: What is asked, of whichever model.
        self._asked = (
            f"{self.prompt.version}/{self.prompt.digest()}/{self.scale}/{self._lengths}/"
            f"{strategy.fingerprint}"
        )
        self.fingerprint = None if self._named is None else f"llm/{self._named}/{self._asked}"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """The grade of each text on 0..1, None where the model gave none.

        Raises `ScorerError` if the call fails, or if no grade at all can be read.
        """
        return await self.strategy.score(query, texts)

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


def _strategy(kind: StrategyName, asker: Asker, passes: int, **options: Any) -> Strategy:
    """The strategy of that name; an option of another one is refused, not ignored."""
    its_own = {
        "batch": {"group_size"},
        "pointwise": set(),
        "listwise": {"algorithm", "window", "algorithm_options"},
    }[kind]
    for name, value in options.items():
        if value is not None and name not in its_own:
            raise ConfigurationError(f"{name} has no meaning with strategy={kind!r}")
    if passes < 1:
        raise ConfigurationError(f"passes is at least 1, not {passes}")
    if kind == "batch":
        size = options["group_size"]
        return BatchStrategy(asker, group_size=GROUP_SIZE if size is None else size, passes=passes)
    if asker.lengths.best_passage and kind == "listwise":
        raise ConfigurationError(
            'long_documents="best-passage" takes the best of several grades, and '
            'strategy="listwise" gives none: use "batch" or "pointwise"'
        )
    if kind == "pointwise":
        return PointwiseStrategy(asker, passes=passes)
    return ListwiseStrategy(
        asker,
        name=options["algorithm"] or "top-down",
        window=WINDOW if options["window"] is None else options["window"],
        passes=passes,
        options=options["algorithm_options"] or {},
    )


def _unknown(prompt_tokens: int, completion_tokens: int) -> float | None:
    return None
