"""The LLM's prompt as a LlamaIndex template, and back. The text itself is left as it is."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.prompts import BasePromptTemplate, ChatPromptTemplate

if TYPE_CHECKING:
    from rerank_core.llm.prompts import Prompt


def to_template(prompt: Prompt) -> ChatPromptTemplate:
    """A template of two messages: what the model is told, and what it is asked."""
    return ChatPromptTemplate(
        message_templates=[
            ChatMessage(role=MessageRole.SYSTEM, content=prompt.system),
            ChatMessage(role=MessageRole.USER, content=prompt.user),
        ]
    )


def from_template(template: BasePromptTemplate, prompt: Prompt) -> Prompt:
    """The prompt that says what the template says; what it leaves out is said as in `prompt`.

    A template without roles stands for the user's message. Raises `ConfigurationError` for one
    that cannot be filled in, or never shows the model the query or the documents.
    """
    if isinstance(template, ChatPromptTemplate):
        said = {message.role: message.content or "" for message in template.message_templates}
    else:
        said = {MessageRole.USER: template.get_template()}
    system = said.get(MessageRole.SYSTEM, prompt.system)
    user = said.get(MessageRole.USER, prompt.user)
    # scores that the old text brought are no scores of the new one
    version = sha256(f"{system}\0{user}".encode()).hexdigest()[:12]
    return replace(prompt, system=system, user=user, version=version)
