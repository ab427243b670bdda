"""An evaluation as one HTML file that stands alone: light and dark, on a phone, without network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..evaluation.evaluation import Evaluation, Result
from ..evaluation.judged import counted
from ..evaluation.run import called
from ..ranking.candidate import RAW
from ..text.highlight import marked, snippet, terms
from . import opening, plots, report_data
from .page import Cell, Document, Figure, Losing, Made, Part, Query, Table, rendered, safe

#: Queries shown with their documents for each system, documents of each, characters of these.
WORST, SIDE, SNIPPET = 10, 5, 220
#: Rows of the table of all queries.
ROWS = 1000


def write(found: Evaluation, path: str | os.PathLike[str], *, command: str = "") -> None:
    """Write the page to this file. `command` is what was typed; secrets in it are left out."""
    Path(path).write_text(to_html(found, Made.now(command)), encoding="utf-8", errors="replace")


def to_html(found: Evaluation, made: Made | None = None) -> str:
    """The whole page. Where nothing is judged, what can be said without judgements."""
    if found.collection.qrels:
        parts = [
            _quality(found),
            *_costs(found),
            *_losing(found),
            *_of_queries(found),
            *_of_documents(found),
        ]
    else:
        parts = [*_costs(found), _agreement(found)]
    names = ", ".join(result.name for result in found.systems)
    return rendered(
        "evaluation.html",
        title=f"Reranking {called(found.base.name)}: {names}",
        heading="Does reranking help?",
        verdict=found.verdict,
        numbers=opening.numbers(found),
        made=made or Made.now(),
        facts=_facts(found),
        notes=found.notes,
        parts=parts,
    )


def _facts(found: Evaluation) -> str:
    collection = found.collection
    count = len(collection.candidates)
    facts = (
        f"{count} queries, at most {collection.deepest} candidates each, by "
        f"{called(found.base.name)}."
    )
    if collection.qrels:
        facts += (
            f" {counted(len(collection.qrels), collection.unanswerable)}; {collection.recall:.0%} "
            f"of what is relevant is among the candidates, whose best order has "
            f"{found.ceiling[found.measures[0]]:.4f} {found.measures[0]}."
        )
    return facts


def _quality(found: Evaluation) -> Part:
    decides = found.measures[0]
    rows = []
    for result in found.results:
        row = [result.name, *(f"{result.means[name]:.4f}" for name in found.measures)]
        row.append("" if result.judged is None else f"{result.judged:.0%}")
        if (compared := result.against.get(decides)) is not None:
            change = compared.difference
            row += [
                f"{change.mean:+.4f}{'*' if compared.significant else ''}",
                f"{compared.low:+.4f} to {compared.high:+.4f}" if change.queries > 1 else "",
                f"{compared.p:.4f}",
                f"{compared.wins} / {compared.ties} / {compared.losses}",
            ]
        else:
            row += [""] * 4
        rows.append(row)
    head = ["system", *found.measures, "Judged@10", f"change in {decides}"]
    head += ["95% interval", "p (Holm)"]
    pairs, provenance = len(found.pairs), found.collection.provenance
    corrected = f", corrected for {pairs} pairs of systems" if pairs > 1 else ""
    judge = "" if provenance is None else f" These figures were {provenance.short}."
    return Part(
        "Quality",
        f"The mean over {len(found.collection.qrels)} judged queries, higher is better.",
        [
            Table(
                "Quality of every system",
                [*head, "wins / ties / losses"],
                rows,
                f"* differs from {called(found.base.name)} by more than chance, at "
                f"5%{corrected}.{judge}",
            )
        ],
    )


def _costs(found: Evaluation) -> Iterator[Part]:
    rows = []
    points, priced = [], []
    for result in found.systems:
        if (costs := result.costs) is None:
            continue
        rows.append(
            [
                result.name,
                *(f"{1000 * seconds:.1f}" for seconds in (costs.p50, costs.p95, costs.p99)),
                f"{costs.calls:,}",
                f"{costs.tokens:,}",
                "unknown" if costs.cost is None else f"{costs.cost:.4f}",
                f"{costs.coverage:.1%}",
                f"{costs.degraded:.1%}",
            ]
        )
        if found.collection.qrels:
            mean = result.means[found.measures[0]]
            points.append((result.name, 1000 * costs.p50, mean))
            if costs.cost:
                priced.append((result.name, 1000 * costs.cost / costs.queries, mean))
    if not rows:
        return
    head = ["system", "p50 ms", "p95 ms", "p99 ms", "calls", "tokens", "cost $", "coverage"]
    measure = found.measures[0]
    yield Part(
        "Latency and cost",
        "What each system took, and how much of the candidates it scored.",
        [
            Table(
                "Latency and cost of every system",
                [*head, "degraded"],
                rows,
                "Milliseconds are of a query; calls, tokens and cost of all.",
            )
        ],
        [
            Figure(
                f"{measure} by {across}",
                "To the upper left is better.",
                safe(plots.quality_by_price(some, across, measure, f"{measure} by {across}")),
            )
            # one point is in the table already
            for some, across in ((points, "ms a query (p50)"), (priced, "$ a thousand queries"))
            if len(some) > 1
        ],
    )


def _of_queries(found: Evaluation) -> Iterator[Part]:
    measure = found.measures[0]
    drawn = []
    changes = [[c.by for c in report_data.changes(found, result)] for result in found.systems]
    most = max([0.05, *(abs(change) for by in changes for change in by)])  # one scale for all
    for result, by in zip(found.systems, changes, strict=True):
        up, down = sum(v > 0 for v in by), sum(v < 0 for v in by)
        told = f"{up} queries gain, {down} lose (hatched), {len(by) - up - down} stay."
        label = f"{result.name}: change in {measure} by query"
        drawn.append(
            Figure(result.name, told, safe(plots.change_by_query(by, measure, label, most)))
        )
    yield Part(
        "Every query",
        f"The change in {measure} of every query against {called(found.base.name)}.",
        figures=drawn,
        queries=_all_queries(found),
    )
    curves = {result.name: report_data.by_depth(found, result) for result in found.systems}
    if curves and found.collection.deepest > 1:
        label = f"{measure} by how many candidates are reranked"
        rows = [
            [str(depth), *(f"{curve[n][1]:.4f}" for curve in curves.values())]
            for n, (depth, _) in enumerate(next(iter(curves.values())))
        ]
        yield Part(
            "Quality against depth",
            "What it would be if only the first candidates were reranked and the others left as "
            "they were retrieved. For a scorer that looks at all candidates together this is "
            "near, not exact.",
            [Table(label, ["candidates reranked", *curves], rows)],
            [Figure(label, "", safe(plots.quality_by_depth(curves, measure, label)))],
        )


def _all_queries(found: Evaluation) -> Table:
    """Those that lose most under any system first."""
    measure = found.measures[0]
    base = found.base.by_query[measure]

    def by(query: str) -> list[float]:
        return [result.by_query[measure][query] - base[query] for result in found.systems]

    rows: list[list[Cell]] = [
        [
            found.collection.queries.get(query) or query,
            (f"{base[query]:.3f}", base[query]),
            *((f"{base[query] + change:.3f} ({change:+.3f})", change) for change in by(query)),
        ]
        for query in sorted(base, key=lambda query: min(by(query), default=0.0))[:ROWS]
    ]
    head = ["query", found.base.name, *(result.name for result in found.systems)]
    return Table(f"{measure} of every query", head, rows)


def _of_documents(found: Evaluation) -> Iterator[Part]:
    moved, spread = [], []
    moves = [report_data.moves(found, result) for result in found.systems]
    last = max([10, *(rank for pairs in moves for pair in pairs for rank in pair)])
    for result, pairs in zip(found.systems, moves, strict=True):
        if pairs:
            up, down = sum(b > a for b, a in pairs), sum(b < a for b, a in pairs)
            label = f"{result.name}: ranks of relevant documents before and after"
            told = f"{up} rise (▲), {down} fall (▼), {len(pairs) - up - down} stay (×)."
            moved.append(
                Figure(result.name, told, safe(plots.ranks_before_and_after(pairs, label, last)))
            )
        relevant, others = report_data.scores(found, result)
        if relevant and others:
            label = f"{result.name}: scores of relevant documents and of others"
            told = f"{len(relevant)} scores of relevant documents, {len(others)} of others."
            spread.append(
                Figure(result.name, told, safe(plots.score_distributions(relevant, others, label)))
            )
    if moved:
        yield Part(
            "Where the relevant documents went",
            "Each mark is a relevant document, a larger one several; above the dotted line they "
            "rose. Rank 1 is at the upper right.",
            figures=moved,
        )
    if spread:
        yield Part(
            "Scores",
            "The farther apart the two lines, the better the scores tell relevant documents.",
            figures=spread,
        )


def _losing(found: Evaluation) -> Iterator[Part]:
    losing = [
        Losing(found.base.name, result.name, _worst(found, result))
        for result in found.systems
        if report_data.worst(found, result, 1)
    ]
    if losing:
        yield Part(
            "Queries that lose most",
            f"The first {SIDE} documents before and after; ★ marks those judged relevant.",
            losing=losing,
        )


def _worst(found: Evaluation, result: Result) -> list[Query]:
    measure = found.measures[0]
    return [
        Query(
            found.collection.queries.get(change.query) or change.query,
            f"{measure} {change.before:.3f} → {change.after:.3f} ({change.by:+.3f})",
            _side(found, found.base, change.query),
            _side(found, result, change.query),
            open=position == 0,
        )
        for position, change in enumerate(report_data.worst(found, result, WORST))
    ]


def _side(found: Evaluation, result: Result, query: str) -> list[Document]:
    candidates = {str(c.id): c for c in found.collection.candidates.get(query, ())}
    before = {doc: rank for rank, doc in enumerate(report_data.order(found.base, query), start=1)}
    grades = found.collection.qrels.get(query, {})
    wanted = terms(found.collection.queries.get(query, ""))
    side = []
    for rank, doc in enumerate(report_data.order(result, query)[:SIDE], start=1):
        text = candidates[doc].text if doc in candidates else ""
        side.append(
            Document(
                rank,
                doc,
                grades.get(doc, 0),
                None if result is found.base else before.get(doc, rank) - rank,
                safe(marked(snippet(text, wanted, SNIPPET), wanted)),
                _signals(result, query, doc),
            )
        )
    return side


def _signals(result: Result, query: str, doc: str) -> str:
    """What moved it: the score, and the signals that went into it."""
    ranked = result.run.rankings[query]
    at = list(ranked.ids).index(doc)
    components = {n: v[at] for n, v in ranked.components.items() if not n.endswith(RAW)}
    told = {"score": ranked.scores[at]} | components
    if len({value for name, value in told.items() if name not in ("retrieval",)}) == 1:
        told = {name: value for name, value in told.items() if name in ("score", "retrieval")}
    return " · ".join(
        f"{name} {'not scored' if value is None else format(value, '.4g')}"
        for name, value in told.items()
    )


def _agreement(found: Evaluation) -> Part:
    moves = [
        [
            result.name,
            f"{result.movement.moved:.1f}",
            f"{result.movement.new:.1f}",
            "" if result.movement.spread is None else f"{result.movement.spread:.4g}",
            "" if result.movement.distinct is None else f"{result.movement.distinct:.0%}",
        ]
        for result in found.systems
    ]
    pairs = [
        [f"{pair.first} and {pair.second}", f"{pair.tau:.3f}", f"{pair.rbo:.3f}", f"{pair.top:.0%}"]
        for pair in found.agreements()
    ]
    head = ["system", "ranks moved", "new in the first 10", "score spread", "scores of their own"]
    return Part(
        "What can be said without judgements",
        "How much the systems move, and whether they agree. Not which is better.",
        [
            Table("Movement", head, moves),
            Table("Agreement", ["agreement of", "Kendall tau", "RBO", "same first 10"], pairs),
        ],
    )
