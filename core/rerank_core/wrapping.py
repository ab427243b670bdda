"""What a framework's class around a reranker takes: the reranker, or the name of what scores; its
own options; and, said where it goes, none of the reranker's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .errors import ConfigurationError, UnknownOptionError
from .options import NAMES, refuse_unknown
from .remote.secret import holds_secret
from .reranker import Reranker

#: What the frameworks' retrievers find where nobody said how many: two in LlamaIndex, four in
#: LangChain.
FEW = 4
#: What others call the number of those that are returned.
_HOW_MANY = ("top_n", "top_k", "k", "n", "limit")


def any_reranker(reranker: Any) -> Reranker:
    """A reranker as it is, or one around what `Reranker` takes for a scorer; None is its default.

    Raises `ConfigurationError` for what is neither.
    """
    return reranker if isinstance(reranker, Reranker) else Reranker(reranker)


def inside(reranker: Any, face: str) -> Reranker:
    """The same for a class called `face`, which cannot do without.

    Raises `ConfigurationError` where there is none, or one that is in such a class already.
    """
    if reranker is None:
        raise ConfigurationError(
            f'{face} goes around a reranker: {face}("hybrid"), or with options '
            f'{face}(Reranker("hybrid", timeout=5))'
        )
    if _is_wrapped(reranker):
        raise ConfigurationError(
            f"{type(reranker).__name__} has a reranker in it already: use it as it is, or put "
            f"{face} around its attribute reranker"
        )
    return any_reranker(reranker)


def fields(
    face: str, own: Collection[str], reranker: Any, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What a class called `face` is made of, whose fields are `own`: the reranker, its options.

    Raises what `inside` and `refuse_options` do.
    """
    refuse_options(options, own, f"{face}({{}})", reranker)
    return {"reranker": inside(reranker, face), **options}


def refuse_options(
    given: Collection[str],
    own: Collection[str],
    shape: str,
    reranker: Any,
    how_many: str | None = None,
) -> None:
    """Raise `UnknownOptionError` for an option that is none of a class's `own`.

    One that is the reranker's is said to be so, with how to write it: `shape` is the call with {}
    where the `reranker` stands, which is shown as it was given. `how_many` says which option it is
    here that others call `top_n` or `top_k`.
    """
    others = [name for name in given if name not in own]
    if how_many is not None and (called := [name for name in others if name in _HOW_MANY]):
        whose = "top_n is the reranker's" if "top_n" in called else f"no option is {called[0]!r}"
        raise UnknownOptionError(f"{whose}: here {how_many}")
    if theirs := [name for name in others if name in NAMES]:
        are = "is" if len(theirs) == 1 else "are"
        call = shape.format(_written(reranker, theirs))
        raise UnknownOptionError(f"{', '.join(theirs)} {are} the reranker's: {call}")
    refuse_unknown(given, own)


@contextmanager
def in_our_words(refusal: type[Exception]) -> Iterator[None]:
    """What pydantic refuses meanwhile, by its `ValidationError`, is a `ConfigurationError`."""
    try:
        yield
    except refusal as error:
        raise ConfigurationError(_told(error)) from None


def _told(error: Any) -> str:
    told = []
    for one in error.errors(include_url=False):
        name = ".".join(map(str, one["loc"]))
        said = one["msg"].removeprefix("Value error, ")
        told.append(f"{name}: {said}, not {one['input']!r:.80}" if name else said)
    return "; ".join(told)


def few(found: int, top_n: int | None, more: str) -> str | None:
    """What the report has to say of a list that is shorter than what is to be made of it.

    `found` candidates are there, and `top_n` are wanted. Only where a retriever seems to be as it
    comes; `more` says how it finds more.
    """
    if top_n is None or not 0 < found < top_n or found > FEW:
        return None
    return f"{found} candidates for top_n={top_n}: {more} has the retriever find more"


def split(
    changes: Mapping[str, Any] | None, own: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the changes to a framework's class, those of its `own` fields, and those of its reranker.

    What is both, as `top_n` is, is the reranker's. Raises `UnknownOptionError` for what is neither.
    """
    rest = dict(changes or {})
    refuse_unknown(rest, (*NAMES, *own))
    options = {name: rest.pop(name) for name in NAMES if name in rest}
    return rest, options


def _is_wrapped(thing: Any) -> bool:
    return isinstance(getattr(thing, "reranker", None), Reranker)


def _written(reranker: Any, options: Sequence[str]) -> str:
    """How it was given, with more options."""
    name = type(reranker).__name__ if _is_wrapped(reranker) else "Reranker"
    more = [f"{option}=…" for option in options]
    if isinstance(reranker, str) and "://" not in reranker and not holds_secret(reranker):
        more.insert(0, f'"{reranker}"')  # but for an address, which may carry a password
    elif reranker is not None:
        more.insert(0, "…")
    return f"{name}({', '.join(more)})"
