"""What a tool answered with, as documents that can be put into another order, and back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import ToolMessage

#: Where the text of a search result is, in the order in which they are looked for.
_TEXT = ("page_content", "text", "content", "snippet")
#: A text of at least so many characters may well be several results in one.
_LONG = 1000
#: What can be put into another order.
RANKABLE = (
    "documents as the message's artifact, or as its content a list of texts, or of objects with a "
    f"text under {', '.join(_TEXT[:-1])} or {_TEXT[-1]}"
)
#: What stands between documents, where a tool says nothing else.
SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Results:
    """Several results of a tool: `documents` to be ranked, in the order of the tool."""

    message: ToolMessage
    documents: Sequence[Document]
    #: What stands for each in the content: its part of a text, or its entry in a list.
    parts: Sequence[Any]

    @property
    def scoreless(self) -> bool:
        """Whether they came without whatever a retriever may have said of them."""
        return not _is_documents(self.message.artifact)

    def reordered(self, ranked: Sequence[Document]) -> ToolMessage:
        """The message with these alone, in their order. `ranked`: of `numbered`."""
        order = [int(document.id or 0) for document in ranked]
        parts = [self.parts[position] for position in order]
        update: dict[str, Any] = {"content": parts}
        if isinstance(self.message.content, str):
            is_list = not _is_documents(self.message.artifact)
            update["content"] = (
                json.dumps(parts, ensure_ascii=False) if is_list else SEPARATOR.join(parts)
            )
        if _is_documents(self.message.artifact):
            update["artifact"] = [
                document.model_copy(update={"id": self.documents[position].id})
                for document, position in zip(ranked, order, strict=True)
            ]
        return self.message.model_copy(update=update)

    def numbered(self) -> list[Document]:
        """Copies that are known by their positions."""
        return [
            document.model_copy(update={"id": str(position)})
            for position, document in enumerate(self.documents)
        ]


def results_of(message: ToolMessage) -> Results | None:
    """The several results in it; None for what is no list, or an error.

    Documents in the artifact, with the content as the tool wrote it, document by document; else a
    content that is a list of texts or of objects with a text, as JSON or in blocks.
    """
    if message.status == "error":
        return None
    if _is_documents(message.artifact):
        documents = list(message.artifact)
        if len(documents) < 2 or not isinstance(message.content, str):
            return None
        texts = [document.page_content for document in documents]
        return Results(message, documents, _parts(message.content, texts) or texts)
    listed = _listed(message.content)
    found = [_text(one) for one in listed]
    if len(found) < 2 or any(text is None for text in found):
        return None
    return Results(message, [Document(text or "") for text in found], listed)


def unread_shape(message: ToolMessage) -> str | None:
    """What a message that has no `results_of` looks like, where there may be several in it.

    None for an error, for one result or none, and for a short text.
    """
    content = message.content
    if message.status == "error" or _is_documents(message.artifact):
        return None
    if len(_listed(content)) > 1:
        return "a list of which not everything has a text"
    if not isinstance(content, str):
        return None
    for name, value in _object(content).items():
        if isinstance(value, list) and len(value) > 1:
            return f"an object with a list under {name!r:.40}"
    return f"one text of {len(content)} characters" if len(content) >= _LONG else None


def _object(content: str) -> Mapping[str, Any]:
    if not content.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _is_documents(artifact: Any) -> bool:
    return (
        isinstance(artifact, list | tuple)
        and bool(artifact)
        and all(isinstance(one, Document) for one in artifact)
    )


def _listed(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    if isinstance(content, str) and content.lstrip().startswith("["):
        try:
            found = json.loads(content)
        except ValueError:
            return []
        return found if isinstance(found, list) else []
    return []


def _text(one: Any) -> str | None:
    if isinstance(one, str):
        return one
    if isinstance(one, Mapping) and one.get("type", "text") == "text":
        return next((one[name] for name in _TEXT if isinstance(one.get(name), str)), None)
    return None


def _parts(content: str, texts: Sequence[str]) -> list[str] | None:
    """What the tool wrote for each document: its text, and what stands before and behind it.

    None where the texts are not in it one after the other, with an empty line between, or where it
    cannot be told to which of two documents a paragraph between them belongs.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    for text in texts:
        start = content.find(text, end)
        if start < 0 or not text:
            return None
        end = start + len(text)
        spans.append((start, end))
    # as many paragraphs as before the first text and behind the last belong to every document
    behind = content.rstrip().count(SEPARATOR, end)
    between = content.count(SEPARATOR, 0, spans[0][0]) + 1 + behind
    cuts = [0]
    for (_, before), (after, _) in itertools.pairwise(spans):
        if content.count(SEPARATOR, before, after) != between:
            return None
        cut = before
        for _ in range(behind + 1):
            cut = content.index(SEPARATOR, cut) + len(SEPARATOR)
        cuts.append(cut)
    ends = [*(cut - len(SEPARATOR) for cut in cuts[1:]), len(content)]
    return [content[start:end] for start, end in zip(cuts, ends, strict=True)]
