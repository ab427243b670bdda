"""Who judged: a person, or a language model, and which.

The second field of a line of TREC qrels, which every reader of them skips, has the judge: so it
goes along with the file, whoever renames it. Beside the file lies what more is known of the judge
(`FILE.judge.json`): rubric, date, agreement of its passes, and with a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What the second field begins with where a language model judged, and what it is for a person.
BY_MODEL, BY_PERSON = "llm:", "person"

#: A date or a place at the end of a model's name, which is the same model.
_VERSION = re.compile(r"[-@:](\d{4}-?\d{2}-?\d{2}|\d{4}|latest|preview|free|exp)$")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who judged how many pairs of query and document.

    `models`: pairs by the name of the model that judged them. `people`: pairs that a person did.
    `told`: what the file beside the judgements says of them.
    """

    models: Mapping[str, int]
    people: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> str:
        """The models, as one reads them."""
        return ", ".join(self.models)

    @property
    def short(self) -> str:
        """What a table says of its own figures."""
        people = f"; {self.people} of them by a person" if self.people else ""
        pairs = sum(self.models.values()) + self.people
        return f"judged by a language model, {self.names} ({pairs} pairs{people})"

    @property
    def sentence(self) -> str:
        """What whoever reads the figures should know first."""
        said = [f"these figures rest on judgements of {self.names}, a language model"]
        passes = self.told.get("agreement_of_passes")
        if isinstance(passes, Mapping) and isinstance(passes.get("weighted_kappa"), float):
            said.append(f"its two passes agree with weighted kappa {passes['weighted_kappa']:.2f}")
        person = self.told.get("agreement_with_person")
        if isinstance(person, Mapping) and isinstance(person.get("kappa"), float):
            said.append(
                f"a person who judged {person['pairs']} pairs agrees with kappa "
                f"{person['kappa']:.2f}"
            )
        else:
            said.append("no person has checked them (rerank judge --sample 50)")
        return "; ".join(said)

    def own(self, models: Iterable[str]) -> str | None:
        """The judge that is one of these models: it says nothing good of its own rankings."""
        asked = {normalized(name) for name in models}
        return next((name for name in self.models if normalized(name) in asked), None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {"models": dict(self.models), "people": self.people, "told": dict(self.told)}


def normalized(model: str) -> str:
    """A model's name without what does not make it another: provider, date, case.

    >>> normalized("openai/GPT-4o-mini-2024-07-18") == normalized("llm:gpt-4o-mini")
    True
    >>> normalized("gpt-4o-mini") == normalized("gpt-4o")
    False
    """
    name = model.strip().lower().removeprefix(BY_MODEL).rsplit("/", 1)[-1]
    while (shorter := _VERSION.sub("", name)) != name and shorter:
        name = shorter
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def models_of(reranker: Any) -> list[str]:
    """The models that a reranker asks, by the names that its scorers have for them."""
    found = [*reranker.scorers.values(), *reranker.fallback.values()]
    models = (getattr(scorer, "model", None) for scorer in found)
    return [model for model in models if isinstance(model, str)]


def own_judge(provenance: Provenance | None, name: str, system: Any = None) -> str | None:
    """The model that ranked for this system and judged it; None where there is none.

    A run that was read from a file is known by its name alone: "gpt-4o-mini, first try".
    """
    if provenance is None:
        return None
    if hasattr(system, "scorers"):
        return provenance.own(models_of(system))
    words = f"-{normalized(name)}-"
    return next((model for model in provenance.models if f"-{normalized(model)}-" in words), None)


def beside(qrels: Path) -> Path:
    """Where what is known of the judge is."""
    return qrels.with_name(qrels.name + ".judge.json")


def provenance_of(qrels: Path) -> Provenance | None:
    """Who judged, where the file says that it was a model; None where it does not."""
    models: dict[str, int] = {}
    people = 0
    with qrels.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) != 4:
                continue
            if fields[1].startswith(BY_MODEL):
                name = fields[1].removeprefix(BY_MODEL)
                models[name] = models.get(name, 0) + 1
            elif fields[1] == BY_PERSON:
                people += 1
    if not models:
        return None
    return Provenance(models, people, _told(beside(qrels)))


def _told(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
