"""What text an expression of the source makes: each wording that it can have, values left blank.

A name is looked up where it was assigned, a helper where it is written: what is raised as
`f"cannot load {model!r}: {hint}"` has a wording for each `hint` there is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod

#: What stands where a value is filled in.
BLANK = "…"
#: More wordings than this of one expression are one, with the parts that differ left blank.
_MOST = 16
#: Helpers that call helpers are followed so far.
_DEEPEST = 3
#: Methods and functions that leave a text what it is, as far as a reader minds.
_SAME = {"rstrip", "strip", "lstrip", "removesuffix", "removeprefix", "redact", "str"}

#: Helpers that make a value of a value: what they return is filled in.
_VALUES = {"without_secrets"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Sources:
    """Every module that is read, and every function of theirs, to be looked up by name."""

    modules: dict[str, ast.Module] = field(default_factory=dict)

    def add(self, file: str, source: str) -> None:
        """Read one more module."""
        self.modules[file] = ast.parse(source)

    def scopes(self) -> Iterator[tuple[str, Scope]]:
        """Each module with what its names stand for."""
        everywhere: dict[str, list[Home]] = {}
        for file, module in self.modules.items():
            for node in module.body:
                if isinstance(node, Function):
                    everywhere.setdefault(node.name, []).append((file, node))
        alone = {name: homes[0] for name, homes in everywhere.items() if len(homes) == 1}
        constants: dict[str, list[ast.expr]] = {}
        for module in self.modules.values():
            for name, values in assigned(module.body).items():
                constants.setdefault(name, []).extend(values)
        roots: dict[str, Scope] = {}
        for file, module in self.modules.items():
            imported = {
                one.asname or one.name
                for node in ast.walk(module)
                if isinstance(node, ast.ImportFrom)
                for one in node.names
            }
            own = {n.name: (file, n) for n in ast.walk(module) if isinstance(n, Function)}
            theirs = {name: home for name, home in alone.items() if name in imported}
            borrowed = {name: constants[name] for name in imported if name in constants}
            roots[file] = Scope({**borrowed, **assigned(module.body)}, {**theirs, **own}, roots)
        yield from roots.items()


#: A function, and the file that it stands in.
Home = tuple[str, Function]


@dataclass
class Scope:
    """What names stand for: expressions by name, functions by name; `bound` texts go first."""

    names: Mapping[str, list[ast.expr]]
    functions: Mapping[str, Home]
    roots: Mapping[str, Scope]
    bound: Mapping[str, list[str]] = field(default_factory=dict)
    deep: int = 0

    def inside(self, function: Function) -> Scope:
        """The scope of a function that stands in this one: its parameters are not known."""
        unknown = {name: [BLANK] for name in _parameters(function)}
        own = _own(function)
        bound = {name: texts for name, texts in self.bound.items() if name not in own}
        names = {n: v for n, v in self.names.items() if n not in unknown} | own
        return Scope(names, self.functions, self.roots, {**bound, **unknown}, self.deep)

    def called(self, call: ast.Call) -> tuple[Function, Scope] | None:
        """The helper that is called, and its scope with the call's arguments."""
        name = name_of(call.func)
        home = self.functions.get(name)
        if home is None or self.deep >= _DEEPEST or name in _VALUES:
            return None
        file, function = home
        names = _parameters(function)
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        given = dict(zip(names, call.args, strict=False))
        given |= {one.arg: one.value for one in call.keywords if one.arg}
        inner = self.roots[file].inside(function)
        texts = {name: self.texts(node) for name, node in given.items()}
        inner.bound = {**inner.bound, **texts}
        inner.deep = self.deep + 1
        return function, inner

    def texts(self, node: ast.AST | None) -> list[str]:
        """Every wording of an expression; `[BLANK]` where nothing of it is known."""
        found = dict.fromkeys(self._texts(node))
        return list(found) if 0 < len(found) <= _MOST else [BLANK]

    def _texts(self, node: ast.AST | None) -> Iterable[str]:
        match node:
            case ast.Constant(value=str(value)):
                return [value]
            case ast.JoinedStr(values=values):
                return self._joined(values)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.texts(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right])
            case ast.BinOp(left=left, op=ast.Mod()):
                return [re.sub(r"%[sdrg]", BLANK, text) for text in self.texts(left)]
            case ast.BinOp(left=left, op=ast.Mult()):
                return ["", *self.texts(left)]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.texts(body), *self.texts(orelse)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts(value)]
            case ast.Name(id=name) if name in self.bound or name in self.names:
                deeper = Scope(
                    {other: found for other, found in self.names.items() if other != name},
                    self.functions, self.roots,
                    {**self.bound, name: [BLANK]} if name in self.bound else self.bound,
                    self.deep,
                )  # fmt: skip
                given = self.bound.get(name, [])
                return [*given, *(t for v in self.names.get(name, ()) for t in deeper.texts(v))]
            case ast.Call(func=ast.Attribute(value=inner, attr="format")):
                return [re.sub(r"\{[^}]*\}", BLANK, text) for text in self.texts(inner)]
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args) if name in _SAME:
                return self.texts(args[0] if name in ("redact", "str") and args else inner)
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _SAME:
                return self.texts(first)
            case ast.Call():
                return self._returned(node)
            case _:
                return [BLANK]

    def _joined(self, nodes: list[ast.expr]) -> list[str]:
        parts = [self.texts(node) for node in nodes]
        while prod(map(len, parts)) > _MOST:
            most = max(range(len(parts)), key=lambda at: len(parts[at]))
            parts[most] = [BLANK]
        return list(map("".join, product(*parts)))

    def _returned(self, call: ast.Call) -> list[str]:
        if (found := self.called(call)) is None:
            return [BLANK]
        function, inner = found
        returned = [n.value for n in own_nodes(function) if isinstance(n, ast.Return) and n.value]
        return [text for value in returned for text in inner.texts(value)]


def assigned(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """What is assigned to each name, in whichever branch; not within functions."""
    found: dict[str, list[ast.expr]] = {}
    for node in own_nodes(ast.Module(body=body, type_ignores=[])):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for one, value in zip(names, values, strict=False):
                    if isinstance(one, ast.Name):
                        found.setdefault(one.id, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
            case _:
                pass
    return found


@cache
def _own(function: Function) -> dict[str, list[ast.expr]]:
    return assigned(function.body)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, those within inner functions and classes left out."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def name_of(function: ast.AST) -> str:
    """The last word of what is called."""
    return str(getattr(function, "id", None) or getattr(function, "attr", ""))


def _parameters(function: Function) -> list[str]:
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
