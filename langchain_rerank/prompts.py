"""LangChain's prompt templates as the LLM's prompt. Their text is left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from string import Formatter
from typing import Any

from langchain_core.prompts import (
    BasePromptTemplate,
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    PromptTemplate,
    SystemMessagePromptTemplate,
)

from rerank_core import ConfigurationError
from rerank_core.llm.prompts import Prompt

_ROLES = ((SystemMessagePromptTemplate, "system"), (HumanMessagePromptTemplate, "user"))


def from_template(template: BasePromptTemplate[Any], prompt: Prompt) -> Prompt:
    """The prompt that says what the template says; what it leaves out is said as in `prompt`.

    A template without roles stands for the user's message; variables that are partially filled in
    stay so. The fields that may be left are those of `Prompt`. Raises `ConfigurationError` for a
    template of another format than f-strings, for messages that are neither the system's nor the
    user's, and for one that cannot be filled in, or never shows the model the query or the
    documents.
    """
    said = {"system": "", "user": ""}
    if isinstance(template, PromptTemplate):
        said["user"] = _text(template, template.partial_variables)
    elif isinstance(template, ChatPromptTemplate):
        for message in template.messages:
            role, text = _message(message, template.partial_variables)
            said[role] = "\n\n".join(filter(None, (said[role], text)))
    else:
        raise ConfigurationError(
            f"prompt is a PromptTemplate or a ChatPromptTemplate, not a {type(template).__name__}"
        )
    system, user = said["system"] or prompt.system, said["user"] or prompt.user
    # scores that the old text brought are no scores of the new one
    version = sha256(f"{system}\0{user}".encode()).hexdigest()[:12]
    return replace(prompt, system=system, user=user, version=version)


def _message(message: Any, partial: Mapping[str, Any]) -> tuple[str, str]:
    role = {"system": "system", "human": "user"}.get(getattr(message, "type", ""))
    if role is not None and isinstance(message.content, str):  # it is written already
        return role, _escaped(message.content)
    for kind, role in _ROLES:
        if isinstance(message, kind) and isinstance(message.prompt, PromptTemplate):
            return role, _text(message.prompt, {**partial, **message.prompt.partial_variables})
    raise ConfigurationError(
        f"the prompt has a {type(message).__name__}: it may have texts of the system and of the "
        "user alone"
    )


def _text(template: PromptTemplate, partial: Mapping[str, Any]) -> str:
    """The template's text with what is partially filled in."""
    if template.template_format != "f-string":
        raise ConfigurationError(
            f'the prompt is written as {template.template_format}: template_format="f-string", '
            "with {query} and {documents}, is understood"
        )
    values = {name: value() if callable(value) else value for name, value in partial.items()}
    said = []
    for literal, field, spec, conversion in Formatter().parse(template.template):
        said.append(_escaped(literal))
        if field is None:
            continue
        written = f"{{{field}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}}}"
        said.append(_escaped(written.format(**values)) if field in values else written)
    return "".join(said)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
