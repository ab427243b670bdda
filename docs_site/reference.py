"""The reference: every public name, from its docstring.

In the site a name is a directive of mkdocstrings; in the Markdown copies, which have no directives,
its signature and docstring are written out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from rerank_core import options

from . import tables
from .fenced import fenced

#: A page for each module: its title, one line, and its public names where no `__all__` has them.
MODULES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "rerank_core": ("Reranker, candidates, rankings", "What a user holds.", ()),
    "rerank_core.scorers": ("Scorers", "What can score, each by name in a string too.", ()),
    "rerank_core.combine": ("Combining signals", "Several scores, one order.", ()),
    "rerank_core.parsing": ("Reading replies", "What a model's reply says.", ()),
    "rerank_core.stores": ("Score stores", "Where scores are kept.", ()),
    "rerank_core.evaluation": ("Evaluation", "Measured, compared and tuned on your queries.", ()),
    "rerank_core.doctor": ("The doctor", "Why reranking does not help.", ()),
    "rerank_core.bulk": ("Bulk runs", "From a file into a file.", ()),
    "rerank_core.testing": ("For your tests", "Doubles, and the contract of a scorer.", ()),
    "rerank_core.protocols": (
        "Seams",
        "What an object of your own may be.",
        (
            "Scorer", "ScorerBase", "StreamingScorer", "Scores", "Judge", "ChatModel",
            "ChatRequest", "Reply", "ScoreStore",
        ),
    ),
    "rerank_core.llm.prompts": ("Prompts", "What an LLM is asked.", ("Prompt",)),
    "rerank_core.telemetry.chat_callbacks": (
        "Observers of chat calls",
        "Told of every call of a model by name.",
        ("ChatCall", "ChatObserver", "observing", "aobserving"),
    ),
    "rerank_core.views.report": ("The report's page", "An evaluation.", ("write", "to_html")),
    "rerank_core.views.diagnosis": ("The doctor's page", "A diagnosis.", ("write", "to_html")),
    "langchain_rerank": ("LangChain", "Retrievers, compressors, tools.", ()),
    "langchain_rerank.agents": (
        "LangChain's agents",
        "Middleware for `create_agent`.",
        ("ToolResultRerankMiddleware", "ToolRankMiddleware"),
    ),
    "llamaindex_rerank": ("LlamaIndex", "Node postprocessors.", ()),
}  # fmt: skip

#: What pydantic puts into a class of its own accord.
_PYDANTIC = {"model_post_init"}
#: The options of every reranker, which stand below each preset's docstring.
_OF_EVERY_RERANKER = re.compile(r"^Options of every reranker:\n.*", re.MULTILINE | re.DOTALL)

_DIRECTIVE = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)


def names(module: str) -> list[str]:
    """The public names of a module."""
    return [*(MODULES[module][2] or import_module(module).__all__)]


def page_of(module: str) -> str:
    """Where its page is."""
    return f"reference/{module}.md"


def pages() -> dict[str, str]:
    """Every page of the reference, by its path."""
    made = {page_of(module): _module(module) for module in MODULES}
    made["reference/index.md"] = _index()
    made["reference/options.md"] = _options()
    made["reference/command-line.md"] = _command_line()
    return made


def written_out(page: str) -> str:
    """A page with signatures and docstrings in the place of its directives."""
    return _DIRECTIVE.sub(lambda found: "\n".join(_described(found[1])).rstrip(), page)


def _module(module: str) -> str:
    title, about, _ = MODULES[module]
    head = f"# {title}\n\n`from {module} import …`. {about}\n\n"
    return head + "".join(f"::: {module}.{name}\n\n" for name in names(module))


def _index() -> str:
    rows = (
        (
            f"[{MODULES[module][0]}]({page_of(module).removeprefix('reference/')})",
            f"`{module}`",
            " ".join(f"`{name}`" for name in names(module)),
        )
        for module in MODULES
    )
    return (
        "# Reference\n\nEvery public name, from its docstring. [Options](options.md) has every "
        "option as a table, [the command line](command-line.md) every command.\n\n"
        + tables.table(("page", "module", "names"), rows)
        + "\n"
    )


def _options() -> str:
    parts = [
        "# Options\n\nMade from the source: names, types and defaults are those of the code. All "
        "are given by keyword.\n\n## Of every reranker\n\n`Reranker(scorer, …)`, every preset of "
        "both frameworks, and the table `[reranker]` of a configuration file.\n\n"
        + tables.of_the_reranker()
    ]
    for preset, kind in tables.PRESETS.items():
        parts.append(
            f"## `{preset}`\n\nBeside those above. Also of the scorer named `{kind}` and, with "
            f'`use = "{kind}"`, of a configuration file.\n\n' + tables.of_the_scorer(kind)
        )
    parts.append("## `HybridReranker`\n\nThose of every reranker alone.")
    return "\n\n".join(parts) + "\n"


def _command_line() -> str:
    from typer.main import get_command

    from rerank_core.cli.app import app

    group: Any = get_command(app)
    said = " ".join(group.help.split("\n\n")[-1].split())
    parts = [f"# The command line\n\n`pip install '.[cli]'` in a checkout. {said}"]
    for name, command in group.commands.items():
        about, *shown = inspect.cleandoc(command.help or "").split("\n\n")
        part = [f"## `rerank {name}`", about]
        part += [_code_or_words(lines.strip()) for lines in shown]
        part.append(tables.table(("option", "what it is for", "default"), _parameters(command)))
        parts.append("\n\n".join(part))
    return "\n\n".join(parts) + "\n"


def _code_or_words(lines: str) -> str:
    return f"```\n{lines}\n```" if re.match(r"(?:\S+ \| )?rerank ", lines) else lines


def _parameters(command: Any) -> Iterator[tuple[str, str, str]]:
    for one in command.params:
        named = one.opts if one.opts[0].startswith("-") else [one.name.upper()]
        default = "" if one.default in (None, False, ()) or callable(one.default) else one.default
        yield (
            ", ".join(f"`{name}`" for name in named if name != "--help"),
            tables.cell(getattr(one, "help", None) or ""),
            "" if default == "" else tables.shown(default),
        )


def _described(path: str, level: int = 2) -> Iterator[str]:
    module, _, name = path.rpartition(".")
    thing = getattr(import_module(module), name)
    yield from _one(name, thing, level)
    if inspect.isclass(thing):
        for inner, member in _members(thing):
            yield from _one(f"{name}.{inner}", member, level + 1)


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(kind).items():
        target = getattr(member, "__func__", member)
        if (
            name not in _PYDANTIC
            and not name.startswith("_")
            and (inspect.isfunction(target) or isinstance(target, property))
        ):
            yield name, target


def _one(name: str, thing: Any, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}`\n"
    if callable(thing):
        with suppress(TypeError, ValueError):  # built-in ones say none
            yield f"```py\n{name.rpartition('.')[2]}{_signature(thing)}\n```\n"
    said = fenced(inspect.getdoc(thing) or "")
    yield _OF_EVERY_RERANKER.sub("Options of every reranker: [the table](options.md).", said)
    yield ""


def _signature(thing: Any) -> inspect.Signature:
    """Its own; of a preset without the options of every reranker, which its page links."""
    whole = inspect.signature(thing)
    if not _OF_EVERY_RERANKER.search(inspect.getdoc(thing) or ""):
        return whole
    own = [one for name, one in whole.parameters.items() if name not in options.NAMES]
    every = inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD)
    return inspect.Signature([*own, every])
