"""What the library says of Python's options, in the words of the command line.

By rule and not message by message: an option that was typed is called by its flag; another one by
where it can be given, a configuration file; what only a program can do is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from typer.models import OptionInfo

from ..scorers.named import class_name, kinds

#: A clause that offers what no command line has: an object, a function, an argument with a key.
_OF_PYTHON = re.compile(
    r",? or (?:pass|give) (?:[^.;:,()]*\b(?:object|function|callable|instance)\b[^.;:,()]*"
    r"|(?:a key as )?\w*key=)"
)
_NONE_AT_END = re.compile(r",? or None for (\w[^;:,]*)$")
_NONE = re.compile(r",? or None for (\w[^;:,]*)")
_NOTHING = re.compile(r",? or None for *(?=$|[;:,])")
#: An argument by its name, such as `file=`; not a part of a URL or of a NAME=VALUE that was typed.
_SEVERAL = re.compile(r"\b([a-z][a-z_]*)=\(([^()]*)\)")
_ARGUMENT = re.compile(r"(?<![\w?&/.'\"-])([a-z][a-z_]*)=(?=[\s,;:.)]|$)")


def spoken(message: str, command: Callable[..., Any], given: Mapping[str, object]) -> str:
    """The message, as somebody who typed this command with these arguments can act on it."""
    flags, defaults = _flags(command)
    said = _OF_PYTHON.sub("", message)
    said = _NONE_AT_END.sub(r", or leave it out for \1", _NOTHING.sub("", said))
    said = _NONE.sub(r", left out for \1", said)
    said = _SEVERAL.sub(lambda found: _with_values(found[1], found[2], flags), said)
    said = _ARGUMENT.sub(
        lambda found: flags.get(found[1], f"{found[1]} in a configuration file"), said
    )
    for name, flag in flags.items():
        # one that was not typed is a configuration file's, which has it by its own name
        if given.get(name) != defaults[name]:
            where = rf"(?<![\w?&/.'\"-]){name}\b"
            if "_" not in name:  # a word like any other, but where a sentence is about it
                where = rf"(?:^|(?<=[:;] )){name}(?= (?:is|are|takes|has|goes|cannot)\b)"
            said = re.sub(where, flag, said)
    for kind in kinds():
        said = re.sub(rf"\b{class_name(kind)}\b(?!\()", f"the scorer {kind}", said)
    return said


def _with_values(name: str, values: str, flags: Mapping[str, str]) -> str:
    if name not in flags:
        return f"{name}=({values})"
    return f"{flags[name]} {values.replace(' ', '')}"


def _flags(command: Callable[..., Any]) -> tuple[dict[str, str], dict[str, object]]:
    """The flag of each option of the command, and what it is where nobody types it."""
    flags: dict[str, str] = {}
    defaults: dict[str, object] = {}
    for name, parameter in signature(command, eval_str=True).parameters.items():
        for told in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(told, OptionInfo):
                # typer has the first spelling for the default, where Annotated holds it
                spelt = [str(one) for one in (told.default, *(told.param_decls or ()))]
                spelt = [one for one in spelt if one.startswith("--")]
                flags[name] = spelt[0] if spelt else f"--{name.replace('_', '-')}"
                defaults[name] = parameter.default
    return flags, defaults
