"""An evaluation as one HTML file that stands alone: light and dark, on a phone, without network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path

from ..evaluation.evaluation import Evaluation, Result
from ..ranking.html import movement
from ..text.highlight import marked, snippet, terms
from . import plots, report_data
from .page import figure, page, section, table

#: Queries shown with their documents for each system, documents of each, characters of these.
WORST, SIDE, SNIPPET = 5, 5, 220
#: Rows of the table of all queries.
ROWS = 1000


def write(found: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write the report of an evaluation to this file."""
    Path(path).write_text(to_html(found), encoding="utf-8", errors="replace")


def to_html(found: Evaluation) -> str:
    """The whole page. Where nothing is judged, what can be said without judgements."""
    parts = [*_head(found)]
    if found.collection.qrels:
        parts += [_quality(found), *_costs(found), *_of_queries(found), *_of_documents(found)]
    else:
        parts += [*_costs(found), _agreement(found)]
    names = ", ".join(result.name for result in found.systems)
    return page(f"Reranking {found.base.name}: {names}", "".join(parts))


def _head(found: Evaluation) -> Iterator[str]:
    collection = found.collection
    count = len(collection.candidates)
    facts = f"{count} queries, at most {collection.deepest} candidates each, by {found.base.name}."
    if collection.qrels:
        facts += (
            f" {len(collection.qrels)} queries are judged; {collection.recall:.0%} of what is "
            f"relevant is among the candidates, whose best order has "
            f"{found.ceiling[found.measures[0]]:.4f} {found.measures[0]}."
        )
    yield f"<h1>Does reranking help?</h1><p>{escape(facts)}</p>"
    if found.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in found.notes)
        yield f'<h2>To know first</h2><ul class="notes">{notes}</ul>'


def _quality(found: Evaluation) -> str:
    decides = found.measures[0]
    rows = []
    for result in found.results:
        row = [result.name, *(f"{result.means[name]:.4f}" for name in found.measures)]
        if (compared := result.against.get(decides)) is not None:
            change = compared.difference
            row += [
                f"{change.mean:+.4f}{'*' if compared.significant else ''}",
                f"{change.low:+.4f} to {change.high:+.4f}",
                f"{compared.p:.4f}",
                f"{compared.wins} / {compared.ties} / {compared.losses}",
            ]
        else:
            row += [""] * 4
        rows.append(row)
    head = ["system", *found.measures, f"change in {decides}", "95% interval", "p (Holm)"]
    return section(
        "Quality",
        f"The mean over {len(found.collection.qrels)} judged queries, higher is better.",
        table(
            "Quality of every system",
            [*head, "wins / ties / losses"],
            rows,
            f"* differs from {found.base.name} by more than chance, at 5%, corrected for "
            f"{len(found.systems)} systems.",
        ),
    )


def _costs(found: Evaluation) -> Iterator[str]:
    timed = [result for result in found.systems if result.costs is not None]
    if not timed:
        return
    rows = []
    points, priced = [], []
    for result in timed:
        costs = result.costs
        assert costs is not None
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
    head = ["system", "p50 ms", "p95 ms", "p99 ms", "calls", "tokens", "cost $", "coverage"]
    content = table(
        "Latency and cost of every system",
        [*head, "degraded"],
        rows,
        "Milliseconds are of a query; calls, tokens and cost of all.",
    )
    measure = found.measures[0]
    drawn = [
        figure(
            plots.quality_by_price(some, across, measure, f"{measure} by {across}"),
            f"{measure} by {across}.",
            "To the upper left is better.",
        )
        for some, across in ((points, "ms a query (p50)"), (priced, "$ a thousand queries"))
        if some
    ]
    yield section(
        "Latency and cost",
        "What each system took, and how much of the candidates it scored.",
        content + f'<div class="plots">{"".join(drawn)}</div>' * bool(drawn),
    )


def _of_queries(found: Evaluation) -> Iterator[str]:
    measure = found.measures[0]
    drawn = []
    for result in found.systems:
        by = [change.by for change in report_data.changes(found, result)]
        up, down = sum(v > 0 for v in by), sum(v < 0 for v in by)
        told = f"{up} queries gain, {down} lose (hatched), {len(by) - up - down} stay."
        label = f"{result.name}: change in {measure} by query"
        drawn.append(figure(plots.change_by_query(by, measure, label), f"{result.name}.", told))
    yield section(
        "Before and after, query by query",
        f"The change in {measure} of every query against {found.base.name}.",
        f'<div class="plots">{"".join(drawn)}</div>{_all_queries(found)}',
    )
    curves = {result.name: report_data.by_depth(found, result) for result in found.systems}
    if curves and found.collection.deepest > 1:
        label = f"{measure} by how many candidates are reranked"
        rows = [
            [str(depth), *(f"{curve[n][1]:.4f}" for curve in curves.values())]
            for n, (depth, _) in enumerate(next(iter(curves.values())))
        ]
        yield section(
            "Quality against depth",
            "What it would be if only the first candidates were reranked and the others left as "
            "they were retrieved. For a scorer that looks at all candidates together this is "
            "near, not exact.",
            f'<div class="plots">'
            f"{figure(plots.quality_by_depth(curves, measure, label), label + '.', '')}</div>"
            f"{table(label, ['candidates reranked', *curves], rows)}",
        )


def _all_queries(found: Evaluation) -> str:
    measure = found.measures[0]
    base = found.base.by_query[measure]
    rows = [
        [
            found.collection.queries.get(query) or query,
            f"{value:.3f}",
            *(
                f"{result.by_query[measure][query]:.3f} "
                f"({result.by_query[measure][query] - value:+.3f})"
                for result in found.systems
            ),
        ]
        for query, value in list(base.items())[:ROWS]
    ]
    head = ["query", found.base.name, *(result.name for result in found.systems)]
    return (
        f"<details><summary>{measure} of {len(rows)} queries</summary>"
        f"{table(f'{measure} of every query', head, rows)}</details>"
    )


def _of_documents(found: Evaluation) -> Iterator[str]:
    moved, spread = [], []
    for result in found.systems:
        pairs = report_data.moves(found, result)
        if pairs:
            up, down = sum(b > a for b, a in pairs), sum(b < a for b, a in pairs)
            label = f"{result.name}: ranks of relevant documents before and after"
            told = f"{up} rise (▲), {down} fall (▼), {len(pairs) - up - down} stay (×)."
            moved.append(
                figure(plots.ranks_before_and_after(pairs, label), f"{result.name}.", told)
            )
        relevant, others = report_data.scores(found, result)
        if relevant and others:
            label = f"{result.name}: scores of relevant documents and of others"
            told = f"{len(relevant)} scores of relevant documents, {len(others)} of others."
            spread.append(
                figure(plots.score_distributions(relevant, others, label), f"{result.name}.", told)
            )
    if moved:
        yield section(
            "Where the relevant documents went",
            "Each mark is a relevant document, a larger one several; above the dotted line they "
            "rose. Rank 1 is at the upper right.",
            f'<div class="plots">{"".join(moved)}</div>',
        )
    if spread:
        yield section(
            "Scores",
            "The farther apart the two lines, the better the scores tell relevant documents.",
            f'<div class="plots">{"".join(spread)}</div>',
        )
    worst = "".join(_worst(found, result) for result in found.systems)
    if worst:
        yield section(
            "Queries that lose most",
            f"The first {SIDE} documents before and after; ★ marks those judged relevant.",
            worst,
        )


def _worst(found: Evaluation, result: Result) -> str:
    measure = found.measures[0]
    shown = []
    for position, change in enumerate(report_data.worst(found, result, WORST)):
        text = found.collection.queries.get(change.query, "")
        sides = (
            f'<div class="sides"><div><h3>{escape(found.base.name)}</h3>'
            f"{_side(found, found.base, change.query)}</div>"
            f"<div><h3>{escape(result.name)}</h3>{_side(found, result, change.query)}</div></div>"
        )
        title = (
            f"{text or change.query}: {measure} {change.before:.3f} → {change.after:.3f} "
            f"({change.by:+.3f})"
        )
        opened = "" if position else " open"
        shown.append(f"<details{opened}><summary>{escape(title)}</summary>{sides}</details>")
    return f"<h3>{escape(result.name)}</h3>{''.join(shown)}" if shown else ""


def _side(found: Evaluation, result: Result, query: str) -> str:
    candidates = {str(c.id): c for c in found.collection.candidates.get(query, ())}
    before = {doc: rank for rank, doc in enumerate(report_data.order(found.base, query), start=1)}
    grades = found.collection.qrels.get(query, {})
    wanted = terms(found.collection.queries.get(query, ""))
    rows = []
    for rank, doc in enumerate(report_data.order(result, query)[:SIDE], start=1):
        relevant = grades.get(doc, 0) > 0
        tag = f'<span class="tag">★ relevant ({grades[doc]})</span>' if relevant else ""
        moved = "" if result is found.base else movement(before.get(doc, rank) - rank)
        text = candidates[doc].text if doc in candidates else ""
        body = marked(snippet(text, wanted, SNIPPET), wanted) if text else ""
        rows.append(
            f'<li{" class=relevant" if relevant else ""}><div class="head"><b>{rank}</b>{moved}'
            f"<span>{escape(doc)}</span>{tag}</div>{body}"
            f'<div class="soft">{escape(_signals(result, query, doc))}</div></li>'
        )
    return f"<ol>{''.join(rows)}</ol>"


def _signals(result: Result, query: str, doc: str) -> str:
    """What moved it: the score, and the signals that went into it."""
    ranked = result.run.rankings[query]
    at = list(ranked.ids).index(doc)
    told = {"score": ranked.scores[at]} | {name: v[at] for name, v in ranked.components.items()}
    if len({value for name, value in told.items() if name not in ("retrieval",)}) == 1:
        told = {name: value for name, value in told.items() if name in ("score", "retrieval")}
    return " · ".join(
        f"{name} {'not scored' if value is None else format(value, '.4g')}"
        for name, value in told.items()
    )


def _agreement(found: Evaluation) -> str:
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
    return section(
        "What can be said without judgements",
        "How much the systems move, and whether they agree. Not which is better.",
        table(
            "Movement",
            [
                "system",
                "ranks moved",
                "new in the first 10",
                "score spread",
                "scores of their own",
            ],
            moves,
        )
        + table("Agreement", ["agreement of", "Kendall tau", "RBO", "same first 10"], pairs),
    )
