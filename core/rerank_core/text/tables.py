"""Files of tables, in TOML, JSON (.json) or YAML (.yaml, .yml), by what their names end in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_YAML = (".yaml", ".yml")


def read_tables(path: str | os.PathLike[str]) -> dict[str, Any]:
    """All tables of the file, those of other readers too. Raises `ConfigurationError`."""
    from pathlib import Path  # most programs read none

    try:
        whole = _parsed(Path(path))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{path} is no configuration: {error}") from None
    return whole if isinstance(whole, dict) else {}


def write_tables(path: str | os.PathLike[str], tables: Mapping[str, Any]) -> None:
    """Write them; None is left out. Raises `ConfigurationError` for what no file can hold."""
    from pathlib import Path

    file = Path(path)
    whole = without_none(tables)
    if file.suffix == ".json":
        import json

        text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    elif file.suffix in _YAML:
        text = _yaml(file).safe_dump(_plain(whole), sort_keys=False, allow_unicode=True)
    else:
        text = _toml(whole)
    file.write_text(text, encoding="utf-8", errors="backslashreplace")


def _parsed(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        import json  # each form for who has a file in it

        return json.loads(text)
    if file.suffix not in _YAML:
        import tomllib

        return tomllib.loads(text)
    yaml = _yaml(file)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _yaml(file: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigurationError(
            f"{file} is YAML, which needs one more package: pip install pyyaml"
        ) from None
    return yaml


def without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what is None, at any depth, as TOML has no null."""

    def clean(value: Any) -> Any:
        if isinstance(value, Mapping):
            return without_none(value)
        return [clean(one) for one in value] if isinstance(value, list) else value

    return {name: clean(value) for name, value in table.items() if value is not None}


def _plain(value: Any) -> Any:
    """As dicts and lists alone, which is what YAML's safe form takes."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _toml(table: Mapping[str, Any]) -> str:
    import tomli_w  # only who writes one pays for it

    try:
        return tomli_w.dumps(table)
    except TypeError as error:
        raise ConfigurationError(f"no config file can hold {table!r}: {error}") from None
