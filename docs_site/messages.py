"""Every message of the library, read from its source: what the troubleshooting pages list.

A message is an error that is raised, a warning of the log, or a sentence that ends in a report or a
finding. What is filled in at run time is `…` here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rerank_core import RerankError, options

from .texts import BLANK, Function, Scope, Sources, name_of, own_nodes

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("core/rerank_core", "langchain_rerank", "llamaindex_rerank")

#: Where strings are notes and findings, be they raised or not. Elsewhere, what is raised or logged.
_NOTES = tuple(
    f"core/rerank_core/{room}"
    for room in (
        "combine/fuse", "combine/hybrid", "combine/combination", "doctor/", "engine/",
        "evaluation/advice", "evaluation/carried", "evaluation/skipping", "evaluation/threshold",
        "evaluation/tuning", "llm/", "ranking/cut", "ranking/given", "ranking/retrieval",
        "remote/http_errors", "scorers/", "self_check/", "teaching/distillation", "reranker",
    )
)  # fmt: skip
#: But for these: prompts, texts to try a scorer on, tables, questions.
_NO_NOTES = (
    "core/rerank_core/llm/prompts",
    "core/rerank_core/scorers/cascade",
    "core/rerank_core/scorers/local/head",
    "core/rerank_core/scorers/services/prices",
    "core/rerank_core/scorers/services/providers",
    "core/rerank_core/self_check/report",
    "core/rerank_core/self_check/texts",
)
#: Where notes have few words of their own.
_TERSE = ("core/rerank_core/engine/", "core/rerank_core/remote/http_errors")
#: Whose arguments are no messages, though they are strings.
_HELP = {"help", "epilog", "about", "title", "label", "description", "panel"}
_NO_TEXT = {
    "compile",
    "pattern",
    "execute",
    "match",
    "fullmatch",
    "sub",
    "Option",
    "Argument",
    "_option",
}
_LOGGED = {"warning", "error", "exception"}
_CODE = re.compile(r"</?\w+[ >]|\\[dwsb]|\w\?\||^\s*(?:SELECT|INSERT|CREATE|DELETE|PRAGMA)\b|\w=…")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its words, what it is raised as ("" for a sentence of a report), and where."""

    text: str
    kind: str
    file: str


@cache
def found() -> list[Message]:
    """All of them, each once, in the order of the files."""
    sources = Sources()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            sources.add(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    messages = dict.fromkeys(of_sources(sources))
    messages |= dict.fromkeys(of_options())
    texts = dict.fromkeys(message.text for message in messages)
    raised = "\n".join(message.text for message in messages if message.kind)
    parts = {
        text
        for text in texts
        if any(text in other and not other.startswith(text) for other in texts)
    }
    return [m for m in messages if m.kind or (m.text not in raised and m.text not in parts)]


def of_options() -> Iterator[Message]:
    """What the checks of a reranker's options say, each asked with values that cannot be."""
    for name, field in options._FIELDS.items():
        for wrong in (_Odd(), -1, 0, "?"):
            try:
                field.metadata["check"](name, wrong)
            except RerankError as error:
                text = re.sub(rf"{name} is -?\d+(?= s:|:)", f"{name} is {BLANK}", str(error))
                text = re.sub(r"not (?:-1|0|'\?')$", f"not {BLANK}", text).replace("'?'", BLANK)
                text = re.sub(r"this (?:_Odd|int|str) is", f"this {BLANK} is", text)
                yield Message(text, type(error).__name__, "core/rerank_core/options.py")


class _Odd:
    """A value that nothing takes."""

    def __repr__(self) -> str:
        return BLANK


def of_sources(sources: Sources) -> Iterator[Message]:
    """Those of these modules."""
    for file, scope in sources.scopes():
        yield from _Reader(file).read(sources.modules[file], scope)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.notes = file.startswith(_NOTES) and not file.startswith(_NO_NOTES)
        self.least = 2 if file.startswith(_TERSE) else 4

    def read(self, node: ast.AST, scope: Scope) -> Iterator[Message]:
        """What this, and all below it, says."""
        if isinstance(node, Function):
            scope = scope.inside(node)
        if isinstance(node, ast.Call):
            if name_of(node.func) in _NO_TEXT:
                return
            yield from self._called(node, scope)
            if _kind(node) or _is_logged(node):
                return
        if isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            yield from self._noted(node, scope)
            if isinstance(node, ast.Constant | ast.JoinedStr):
                return
        for child in _below(node):
            yield from self.read(child, scope)

    def _called(self, node: ast.Call, scope: Scope) -> Iterator[Message]:
        if _kind(node) or _is_logged(node):
            yield from self._said(node, scope)
        if name_of(node.func) == "require" and len(node.args) > 1:
            yield from self._missing(node, scope)
        if (helper := scope.called(node)) is not None:
            function, inner = helper
            for said in own_nodes(function):
                if isinstance(said, ast.Call) and (_kind(said) or _is_logged(said)):
                    blank = set(self._said(said, scope.roots[self.file].inside(function)))
                    yield from (one for one in self._said(said, inner) if one not in blank)

    def _said(self, node: ast.Call, scope: Scope) -> Iterator[Message]:
        """What an error, or a line of the log, is made of."""
        kind = _kind(node)
        if kind == "MissingExtraError":
            yield from self._missing(node, scope)
            return
        for given in node.args:
            for text in scope.texts(given):
                if is_sentence(text, least=2):
                    yield self._message(text, kind)

    def _missing(self, node: ast.Call, scope: Scope) -> Iterator[Message]:
        for feature in scope.texts(node.args[0]):
            for extra in scope.texts(node.args[1]):
                yield self._message(MISSING.format(feature, extra), "MissingExtraError")

    def _noted(self, node: ast.AST, scope: Scope) -> Iterator[Message]:
        for text in scope.texts(node):
            if text.startswith("note: ") or (
                self.notes
                and not text.lstrip(BLANK).startswith((",", ";"))
                and is_sentence(text, self.least)
            ):
                yield self._message(text, "")

    def _message(self, text: str, kind: str) -> Message:
        said = re.sub(r"%(?:\.\d)?[sdrgf]", BLANK, " ".join(text.split()))
        said = re.sub(rf"(?: \({BLANK}\))+$", "", re.sub(rf"{BLANK}(?:\s?{BLANK})+", BLANK, said))
        return Message(said.rstrip(" :"), kind, self.file)


#: What a package that is missing is told of, as `rerank_core.errors.install` writes it.
MISSING = "{} needs the extra '{}' of dropin-rerank: pip install …"


def is_sentence(text: str, least: int) -> bool:
    """Whether it is words for a reader: so many at the least, and no markup, pattern or query."""
    words = re.findall(r"[A-Za-z][a-z']+", text)
    if text.startswith(f"HTTP {BLANK}:"):
        return True
    return len(words) >= least and " " in text and not (least > 2 and _CODE.search(text))


def _kind(node: ast.Call) -> str:
    """What is raised, if it is an error that is made here."""
    name = name_of(node.func)
    return name if name.endswith(("Error", "BadParameter", "Refusal")) else ""


def _is_logged(node: ast.Call) -> bool:
    made = node.func
    return isinstance(made, ast.Attribute) and made.attr in _LOGGED and name_of(made.value) == "log"


def _below(node: ast.AST) -> Iterator[ast.AST]:
    body = getattr(node, "body", None)
    documented = isinstance(body, list) and bool(body) and _is_docstring(body[0])
    for child in ast.iter_child_nodes(node):
        if documented and child is body[0]:  # type: ignore[index]
            continue
        if not (isinstance(child, ast.keyword) and child.arg in _HELP):
            yield child


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
