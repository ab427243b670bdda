"""The LLMs' prompts as LlamaIndex templates, and back. The text itself is left as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from secrets import randbelow
from typing import Any
from uuid import uuid4

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.prompts import BasePromptTemplate, ChatPromptTemplate, PromptTemplate
from llama_index.core.prompts.mixin import PromptDictType

from rerank_core import Cascade, Reranker, Stage
from rerank_core.llm.prompts import Prompt

#: The key of the LLM's prompt in `get_prompts` and `update_prompts`: of the first LLM, where there
#: are several. The others have their scorer's name before it.
PROMPT = "rerank_prompt"


def prompts_of(reranker: Reranker) -> PromptDictType:
    """The prompts of its LLMs, by their keys."""
    return {key: to_template(reranker.scorers[name].prompt) for key, name in _keys(reranker)}  # type: ignore[attr-defined]


def with_prompts(reranker: Reranker, prompts: PromptDictType) -> Reranker:
    """The reranker whose LLMs say this; itself where none of the keys is one of its prompts."""
    changed: dict[str, Any] = {}
    for key, name in _keys(reranker):
        if (template := prompts.get(key)) is not None:
            scorer: Any = reranker.scorers[name]
            changed[name] = scorer.with_prompt(from_template(template, scorer.prompt))
    if not changed:
        return reranker
    stages = [
        Stage(
            {name: changed.get(name, scorer) for name, scorer in stage.scorers.items()},
            depth=stage.depth,
            unless=stage.unless,
            combine=stage.combine,
        )
        for stage in reranker.stages
    ]
    if len(stages) == 1:  # how it combines is an option of the reranker's, and stays
        return reranker.replace(scorer=stages[0].scorer)
    return reranker.replace(scorer=Cascade(*stages))


def _keys(reranker: Reranker) -> list[tuple[str, str]]:
    named = [name for name, one in reranker.scorers.items() if hasattr(one, "with_prompt")]
    return [(PROMPT if not at else f"{name}_{PROMPT}", name) for at, name in enumerate(named)]


def to_template(prompt: Prompt) -> BasePromptTemplate:
    """A template of two messages: what the model is told, and what it is asked."""
    if isinstance(prompt, _TemplatePrompt):
        return prompt.template
    return ChatPromptTemplate(
        message_templates=[
            ChatMessage(role=MessageRole.SYSTEM, content=prompt.system),
            ChatMessage(role=MessageRole.USER, content=prompt.user),
        ]
    )


def from_template(template: BasePromptTemplate, prompt: Prompt) -> Prompt:
    """The prompt that says what the template says; what it leaves out is said as in `prompt`.

    A template without roles stands for the user's message. One that LlamaIndex must fill in itself
    (rich ones, partial ones, ones with functions or other names for the fields) is filled in for
    every call. Raises `ConfigurationError` for one that cannot be filled in, or never shows the
    model the query or the documents.
    """
    own = {one.name: getattr(prompt, one.name) for one in fields(Prompt)}
    plain = isinstance(template, PromptTemplate | ChatPromptTemplate) and not (
        template.kwargs or template.template_var_mappings or template.function_mappings
    )
    if not plain:
        calls = template.function_mappings or not hasattr(template, "model_dump_json")
        text = uuid4().hex if calls else template.model_dump_json(exclude={"output_parser"})
        return _TemplatePrompt(**{**own, "version": _version(text)}, template=template)
    if isinstance(template, ChatPromptTemplate):
        said = {message.role: message.content or "" for message in template.message_templates}
    else:
        said = {MessageRole.USER: template.get_template()}
    system = said.get(MessageRole.SYSTEM, prompt.system)
    user = said.get(MessageRole.USER, prompt.user)
    # scores that the old text brought are no scores of the new one
    version = _version(f"{system}\0{user}")
    return Prompt(**{**own, "system": system, "user": user, "version": version})


def _version(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TemplatePrompt(Prompt):
    """A prompt that LlamaIndex fills in. What a function in it does, no cache can know: its
    `version` is then like no other's.
    """

    template: BasePromptTemplate

    def said(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """What the template says, by role; where it says nothing, what the prompt before it did."""
        try:
            messages = self._filled(values)
        except Exception as error:  # Jinja's, or whatever a function raises
            raise ValueError(f"{type(error).__name__}: {error}") from error
        by_role: dict[Any, list[str]] = {}
        for message in messages:
            by_role.setdefault(message.role, []).append(message.content or "")
        before = Prompt.said(self, values)
        system = by_role.get(MessageRole.SYSTEM, [before[0]])
        return "\n\n".join(system), "\n\n".join(by_role.get(MessageRole.USER, [before[1]]))

    def _filled(self, values: Mapping[str, Any]) -> list[ChatMessage]:
        """The messages. A template engine sees a number in place of each text: it may cache what
        it fills in, and look in it for roles, which are not a document's to choose.
        """
        template = self.template
        functions = template.function_mappings or {}
        real = {**template.kwargs, **values}
        given = {**values, **{name: function(**real) for name, function in functions.items()}}
        if functions:
            template = template.model_copy(update={"function_mappings": None})
        numbers = {name: _number(name) for name, value in given.items() if isinstance(value, str)}
        messages = template.format_messages(**{**given, **numbers})
        texts = {number: given[name] for name, number in numbers.items()}
        pattern = re.compile("|".join(texts))
        return [
            ChatMessage(
                role=message.role,
                content=pattern.sub(lambda found: texts[found[0]], message.content or ""),
            )
            for message in messages
        ]


@cache
def _number(name: str) -> str:
    """What stands for a field: digits, which no filter changes, and nobody else knows."""
    return str(10**20 + randbelow(10**20))
