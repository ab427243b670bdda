"""A reranker as a file: TOML, or JSON or YAML where the name ends so. It carries no secrets.

    [reranker]
    scorer = "llm:gpt-4o-mini"          # or a table, see below
    top_n = 10
    timeout = 5.0
    depth = 50

    [reranker.combine]
    kind = "weighted-sum"               # or "reciprocal-rank-fusion"
    weights = { retrieval = 0.3, llm = 0.7 }
    normalize = "z-score"

A scorer with options is a table with its name under `use`; several are a table of these by the
names of their signals:

    [reranker.scorer]
    use = "llm:gpt-4o-mini"
    group_size = 20

A cascade has a table for each stage:

    [[reranker.scorer.stages]]
    use = "hybrid"

    [[reranker.scorer.stages]]
    use = "llm:gpt-4o-mini"             # its options beside it, or scorer = {…} for several
    depth = 10
    unless = 0.2

`score_field` and `metadata_fields` are LangChain's: where a document's metadata has the retriever's
score, and what of it is shown to the scorer.

What else stands in the file (`rerank tune` leaves a table `tuned`) is for its reader. Keys are
read from the environment, as everywhere.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Mapping
from typing import Any

from .combine.combination import Combination, ReciprocalRankFusion, WeightedSum
from .errors import ConfigurationError
from .options import NAMES, Options, changed
from .remote.secret import Secret, holds_secret, is_secret, redact
from .scorers.cascade import Cascade, Stage
from .scorers.named import HYBRID, scorer_class
from .text.tables import read_tables, without_none, write_tables

#: Options of `Reranker` that are plain values in a file: `combine` has a form of its own, and no
#: file can hold the function `on_ranking`.
PLAIN = tuple(name for name in NAMES if name not in ("combine", "on_ranking"))

#: Options in the table that belong to LangChain's wrapper, and not to the reranker itself.
LANGCHAIN = ("score_field", "metadata_fields")

#: What a cascade's table is known by.
_STAGES = "stages"

#: Under which name `load` hands on, with a combination, the file that `rerank tune` wrote.
_TUNED_IN = "tuned_in"

#: The tables of a file that are ours, and options whose names other readers of it may have, too.
_TABLES = {"reranker", "serve", "tuned"}
_EVERYDAY = {"cache", "check", "depth", "fallback", "max_concurrency", "threshold", "timeout"}

#: What TOML, which has no null, says for None; and of which option it is a value of its own.
NONE, _NONE_OF_ITS_OWN = "none", ("retrieval_score",)

_COMBINATIONS: Mapping[str, Any] = {
    "weighted-sum": WeightedSum,
    "reciprocal-rank-fusion": ReciprocalRankFusion,
}


def load(path: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    """The table `reranker` of the file, or that table itself.

    Raises `ConfigurationError`, naming the file.
    """
    if isinstance(path, Mapping):
        return dict(path)
    whole = read_tables(path)
    table = whole.get("reranker")
    if not isinstance(table, dict):
        near = _nearest("reranker", whole)
        raise ConfigurationError(f"{path} has no table [reranker]{near}")
    if name := _outside(whole):
        # nobody would read it, and the ranking were another than the file seems to say
        where = f"[reranker.{name}]" if isinstance(whole[name], dict) else f"put {name} below it"
        raise ConfigurationError(f"{path}: {name} stands outside of [reranker]: {where}")
    if isinstance(whole.get("tuned"), dict) and isinstance(table.get("combine"), dict):
        return {**table, "combine": {**table["combine"], _TUNED_IN: str(path)}}
    return table


def _outside(whole: Mapping[str, Any]) -> str | None:
    """An option that stands outside of the table, and is not another reader's."""
    own = {"scorer", "combine", *PLAIN, *LANGCHAIN}
    if whole.keys() - own - _TABLES:
        own -= _EVERYDAY
    return next(iter(sorted(whole.keys() & own)), None)


def _nearest(wanted: str, there: Collection[Any]) -> str:
    """A question, where something there is much like it."""
    from difflib import get_close_matches  # for this sentence only

    near = get_close_matches(wanted, [str(name) for name in there], n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else ""


def save(
    path: str | os.PathLike[str], reranker: Mapping[str, Any], **tables: Mapping[str, Any]
) -> None:
    """Write the table `reranker`, and others for the reader, in the form that the name ends in.

    None is left out. Raises `ConfigurationError` for an option that looks like a secret.
    """
    _refuse_secrets(reranker)
    write_tables(path, {"reranker": reranker, **tables})


def options(table: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """What to call `Reranker` with, for a table as `load` returns it.

    What is `given` takes the file's place; a file that was tuned for a scorer which no name stands
    for needs `scorer=`. Raises `ConfigurationError` for an unknown option, a mistyped one, or a
    secret.
    """
    _refuse_secrets(table)
    known = ("scorer", "combine", *PLAIN, *LANGCHAIN)
    if unknown := sorted(set(table) - set(known)):
        raise ConfigurationError(
            f"unknown {unknown} in [reranker]{_nearest(unknown[0], known) or ':'} there are "
            f"{', '.join(known)}"
        )
    found = {name: _value(name, table[name]) for name in PLAIN if name in table}
    if isinstance(cache := found.get("cache"), str) and cache.startswith(("redis", "unix:")):
        from .stores.redis import of_a_file

        found["cache"] = of_a_file(cache)
    if "fallback" in table:
        found["fallback"] = _scorers(table["fallback"])
    if "combine" in table:
        found["combine"] = combination(table["combine"])
    if "scorer" not in given:
        found["scorer"] = _scorers(table.get("scorer"))
    elif isinstance(named := table.get("scorer"), Mapping) and len(named) == 1:
        (name,) = named
        if name != "use" and not isinstance(given["scorer"], Mapping):
            # the weights in the file know the scorer by this name
            given["scorer"] = {name: given["scorer"]}
    return {**found, **given}


def _value(name: str, written: Any) -> Any:
    return None if written == NONE and name not in _NONE_OF_ITS_OWN else written


def langchain_options(table: Mapping[str, Any]) -> dict[str, Any]:
    """Of a table as `load` returns it, what belongs to LangChain's wrapper.

    Raises `ConfigurationError` for what these cannot be.
    """
    found = {name: table[name] for name in LANGCHAIN if name in table}
    field = found.get("score_field")
    if field is not None and not isinstance(field, str):
        raise ConfigurationError(f"score_field is a name in the metadata, not {field!r}")
    if field == NONE:
        found["score_field"] = None
    shown = found.get("metadata_fields", [])
    if not isinstance(shown, list) or not all(isinstance(name, str) for name in shown):
        raise ConfigurationError(f"metadata_fields is a list of names, not {shown!r}")
    return found


def as_asked(named: Mapping[str, Any]) -> dict[str, Any]:
    """What a config file can say of options, as they were asked for; a secret is not kept."""
    return {
        name: Secret(None, (), name, option=name) if _shows_secret(value) else value
        for name, value in named.items()
    }


def _shows_secret(value: Any) -> bool:
    if isinstance(value, Cascade):
        return any(holds_secret(stage.scorer) for stage in value.stages)
    return holds_secret(value)


def of(reranker: Any) -> dict[str, Any]:
    """The table of a `Reranker`. Raises `ConfigurationError` for what no file can hold."""
    found = without_none(table(reranker._named, reranker._options))
    _refuse_secrets(found)
    return found


def table(named: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """The table of a reranker.

    `named`: its scorer, fallback and cache as they were asked for; only names, and mappings of
    them, can be written. `options`: of the others, those that are not the default. None is written
    as "none". Raises `ConfigurationError` for what no file can hold.
    """
    found: dict[str, Any] = {}
    for name, value in named.items():
        if value is not None:
            found[name] = _checked_name(name, value)
    for name, value in changed(options).items():
        if isinstance(value, Combination):
            found[name] = combination_table(value)
        elif name in PLAIN and name not in ("fallback", "cache"):
            found[name] = NONE if value is None else value
    return found


def scorer_table(scorer: Any) -> Any:
    """A scorer as it stands in the file. Raises `ConfigurationError` for what no file can hold."""
    return _checked_name("scorer", scorer)


def combination(table: Any) -> Combination:
    """The combination of a table with its `kind`. Raises `ConfigurationError`."""
    if not isinstance(table, Mapping) or table.get("kind") not in _COMBINATIONS:
        raise ConfigurationError(
            f"combine is a table with kind = {' or '.join(map(repr, _COMBINATIONS))}, not {table!r}"
        )
    values = {name: value for name, value in table.items() if name not in ("kind", _TUNED_IN)}
    made: Combination = _COMBINATIONS[table["kind"]].from_dict(values)
    object.__setattr__(made, "tuned_in", table.get(_TUNED_IN))
    return made


def combination_table(combine: Combination) -> dict[str, Any]:
    """The table of a combination. Raises `ConfigurationError` if it holds a function."""
    for kind, made in _COMBINATIONS.items():
        if type(combine) is made:
            plain = {k: v for k, v in combine.to_dict().items() if v is not None and v != {}}
            return {"kind": kind, **plain}
    raise ConfigurationError(f"no config file can hold {type(combine).__name__}: build it in code")


def _checked_name(option: str, value: Any) -> Any:
    if isinstance(value, Cascade):
        return {_STAGES: [_stage_table(option, stage) for stage in value.stages]}
    if isinstance(value, Mapping):
        return {name: _checked_name(option, one) for name, one in value.items()}
    if isinstance(value, list):  # stages, as a file had them
        return [_checked_name(option, one) for one in value]
    if isinstance(value, (str, bool, int, float)):
        return value
    raise ConfigurationError(
        f"no config file can hold {option}={redact(repr(value))}: name it by a string, or "
        f"build it in code and pass {option}= to from_config"
    )


def _stage_table(option: str, stage: Stage) -> dict[str, Any]:
    named = _checked_name(option, stage.scorer)
    return {
        "scorer" if isinstance(named, Mapping) else "use": named,
        "depth": stage.depth,
        "unless": stage.unless,
        "combine": None if stage.combine is None else combination_table(stage.combine),
    }


def _stage(table: Any) -> Stage:
    if not isinstance(table, Mapping) or len({"use", "scorer"} & table.keys()) != 1:
        raise ConfigurationError(
            f'a stage is a table with use = "llm:gpt-4o-mini", or scorer = {{…}}, not {table!r}'
        )
    own = {name: table[name] for name in ("depth", "unless") if name in table}
    if "combine" in table:
        own["combine"] = combination(table["combine"])
    scorer = {name: value for name, value in table.items() if name not in (*own, "scorer")}
    return Stage(_scorers(table.get("scorer", scorer)), **own)


def _scorers(value: Any) -> Any:
    """What `Reranker` takes for a scorer, from its form in the file."""
    if not isinstance(value, Mapping):
        return value
    if "use" in value:
        return _scorer(value)
    if isinstance(stages := value.get(_STAGES), list):
        return Cascade(*map(_stage, stages))
    return {name: _scorer(one) if isinstance(one, Mapping) else one for name, one in value.items()}


def _scorer(table: Mapping[str, Any]) -> Any:
    if not isinstance(table.get("use"), str):
        raise ConfigurationError(
            f'a scorer\'s table names it: use = "llm:gpt-4o-mini", not {table!r}'
        )
    kind, _, model = table["use"].partition(":")
    options = {name: value for name, value in table.items() if name != "use"}
    if not options:
        return table["use"]
    if kind == HYBRID:
        raise ConfigurationError("hybrid takes no options: combine bm25 and retrieval instead")
    make = scorer_class(kind)
    known = inspect.signature(make).parameters
    if unknown := sorted(set(options) - set(known)):
        raise ConfigurationError(
            f"{kind} takes no {unknown}{_nearest(unknown[0], known) or ':'} there are "
            f"{', '.join(known)}"
        )
    return make(model, **options) if model else make(**options)


def _refuse_secrets(table: Mapping[str, Any]) -> None:
    for name, value in table.items():
        if isinstance(value, Mapping):
            _refuse_secrets(value)
        elif isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            for one in value:
                _refuse_secrets(one)
        elif is_secret(name, value):
            where = "REDIS_PASSWORD in the environment" if name == "cache" else "the environment"
            raise ConfigurationError(
                f"{name!r} does not belong in a file: keys are read from {where}"
            )
