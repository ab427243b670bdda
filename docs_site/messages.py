"""Every message of the library, read from its source: what the troubleshooting pages list.

A message is an error that is raised, or a sentence that ends in a report, a log or a finding. What
is filled in at run time is `…` here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rerank_core import RerankError, options

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("core/rerank_core", "langchain_rerank", "llamaindex_rerank")

#: What stands where a value is filled in.
BLANK = "…"

#: Where strings that are not raised are no message: prompts, pages, tables, what replies hold.
NO_MESSAGES = (
    "core/rerank_core/bulk/progress.py",
    "core/rerank_core/cli/",
    "core/rerank_core/evaluation/judging/rubric.py",
    "core/rerank_core/llm/prompts.py",
    "core/rerank_core/parsing/",
    "core/rerank_core/ranking/html.py",
    "core/rerank_core/telemetry/tracing.py",
    "core/rerank_core/testing.py",
    "core/rerank_core/text/",
    "core/rerank_core/views/",
)
#: Where notes have few words of their own.
_TERSE = ("core/rerank_core/engine/", "core/rerank_core/options.py")
_HELP = {"help", "epilog", "about", "title", "label", "description", "panel"}
#: Calls whose strings are patterns, queries, names or help.
_NO_TEXT = {"compile", "execute", "match", "fullmatch", "sub", "Option", "Argument", "_option"}
_CODE = re.compile(r"</?\w+[ >]|\\[dwsb]|^\s*(?:SELECT|INSERT|CREATE|DELETE|PRAGMA)\b")
_FIX = re.compile(
    r"(?:[:;,.] |^)((?:give|pass|say|use|set|name|install|pip install|did you mean|leave|make|ask|"
    r"add|put|start|wait|raise|lower|choose|keep|take|write|check|import|close|call|run|export|"
    r"with|it takes|one of|there are|there is|known are)\b.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its words, what it is raised as ("" for a sentence of a report), and where."""

    text: str
    kind: str
    file: str

    @property
    def fix(self) -> str:
        """The part of it that says what to do; "" where it says none."""
        found = _FIX.search(self.text)
        return found[1].strip() if found and found.start() > 0 else ""

    @property
    def parts(self) -> list[str]:
        """Its fixed parts, for looking it up."""
        return [part.strip() for part in self.text.split(BLANK) if len(part.strip()) > 3]


def text_of(node: ast.AST) -> str:
    """The string that an expression makes, what is not known blank."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(text_of(value) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return re.sub(r"\{[^}]*\}", BLANK, text_of(inner))
        case _:
            return BLANK


def found() -> list[Message]:
    """All of them, each once, in the order of the files."""
    messages: dict[Message, None] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            messages |= dict.fromkeys(of_source(path.read_text(encoding="utf-8"), name))
    messages |= dict.fromkeys(of_options())
    raised = {message.text for message in messages if message.kind}
    return [m for m in messages if m.kind or m.text not in raised]


def of_options() -> Iterator[Message]:
    """What the checks of a reranker's options say, each asked with values that cannot be."""
    for name, field in options._FIELDS.items():
        for wrong in (_Odd(), -1, 0, "?"):
            try:
                field.metadata["check"](name, wrong)
            except RerankError as error:
                text = re.sub(rf"{name} is -?\d+(?= s:|:)", f"{name} is {BLANK}", str(error))
                text = re.sub(r"not (?:-1|0|'\?')$", f"not {BLANK}", text)
                yield Message(text, type(error).__name__, "core/rerank_core/options.py")


class _Odd:
    """A value that nothing takes."""

    def __repr__(self) -> str:
        return BLANK


#: What the checks of `rerank_core.runtime.checks` say of an argument.
_CHECKED = {
    "one_of": ("{name} is …, not …",),
    "whole_number": (
        "{name} is a whole number or None for {none}, not …",
        "{name} is …: ask for at least …, or None for {none}",
    ),
    "real_number": ("{name} is …: give a finite number …, or None for {none}",),
    "seconds": (
        "{name} is seconds, a timedelta or None, not …",
        "{name} is … s: give a positive time, or None for none",
    ),
}


def _of_check(node: ast.Call) -> Iterator[str]:
    """What a call of such a check says, where it names the argument."""
    if node.args and isinstance(node.args[0], ast.Constant):
        none = [text_of(one.value) for one in node.keywords if one.arg == "none"]
        for said in _CHECKED.get(_name(node.func), ()):
            yield said.format(name=node.args[0].value, none=none[0] if none else BLANK)


def of_source(source: str, file: str) -> Iterator[Message]:
    """Those of one file."""
    yield from _Reader(file, not file.startswith(NO_MESSAGES)).read(ast.parse(source))


class _Reader:
    def __init__(self, file: str, sentences: bool) -> None:
        self.file, self.sentences = file, sentences

    def read(self, node: ast.AST, kind: str = "") -> Iterator[Message]:
        if isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            text = text_of(node)
            if is_sentence(text, least=2 if kind or self.file.startswith(_TERSE) else 4) and (
                kind or self.sentences or text.startswith("note: ")
            ):
                yield self._message(text, kind)
            if not isinstance(node, ast.Constant):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.IfExp | ast.Call):
                        yield from self._children(inner, "")
            return
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in _NO_TEXT:
                return
            if name in ("MissingExtraError", "require") and len(node.args) > 1:
                feature, extra = map(text_of, node.args[:2])
                yield self._message(
                    f"{feature} needs more packages: pip install {BLANK} "
                    f"(the extra {extra!r} of dropin-rerank)",
                    "MissingExtraError",
                )
                return
            for said in _of_check(node):
                yield self._message(said, "ConfigurationError")
            if name.endswith(("Error", "BadParameter")):
                kind = name
            elif name == "format" and isinstance(node.func, ast.Attribute):
                yield from self.read(node.func.value, kind)
        yield from self._children(node, kind)

    def _children(self, node: ast.AST, kind: str) -> Iterator[Message]:
        body = getattr(node, "body", None)
        documented = isinstance(body, list) and bool(body) and _is_docstring(body[0])
        for child in ast.iter_child_nodes(node):
            if documented and child is body[0]:  # type: ignore[index]
                continue
            if isinstance(child, ast.keyword) and child.arg in _HELP:
                continue
            below = kind if isinstance(child, ast.expr | ast.keyword) else ""
            yield from self.read(child, below)

    def _message(self, text: str, kind: str) -> Message:
        said = re.sub(r"%[sdrg]", BLANK, " ".join(text.split()))
        return Message(said, kind, self.file)


def is_sentence(text: str, least: int) -> bool:
    """Whether it is words for a reader: so many at the least, and no markup, pattern or query."""
    words = re.findall(r"[A-Za-z][a-z']+", text)
    return len(words) >= least and " " in text and not _CODE.search(text)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _name(function: ast.AST) -> str:
    return str(getattr(function, "id", None) or getattr(function, "attr", ""))
