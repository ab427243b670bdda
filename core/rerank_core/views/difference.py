"""What a new configuration changes, as a page: one file, light and dark, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from ..evaluation.difference import Changed, Difference, Move, Standing
from ..text.highlight import marked, snippet, terms

#: Queries shown side by side, and characters of a document.
SHOWN, SNIPPET = 20, 220
#: Bars of the distribution.
_BARS = 10

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1f24;--soft:#59616e;--line:#dadee5;--card:#f6f7f9;
--up:#0b6e4f;--down:#a3330f;--bar:#3267c9;--mark:#fdeeb0}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e8ec;--soft:#a4acb8;--line:#353b45;
--card:#1e2228;--up:#5fcfa2;--down:#f2946f;--bar:#7ea6f2;--mark:#55481a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.2rem clamp(.8rem,3vw,2rem) 4rem;background:var(--bg);
color:var(--fg);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.4em 0 .2em}h2{font-size:1.15rem;margin:2.2em 0 .5em}
p{max-width:48rem;margin:.3em 0}.soft{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;
margin:1.2em 0 0;padding:0}
.facts div{background:var(--card);border-radius:8px;padding:.7rem .9rem}
.facts b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:.9rem}
.bars{display:flex;flex-direction:column;gap:.25rem;max-width:40rem;
font-variant-numeric:tabular-nums}
.bars div{display:grid;grid-template-columns:8.5rem 1fr 3.5rem;gap:.7rem;align-items:center}
.bars i{height:.8rem;background:var(--bar);border-radius:2px}
.bars span:last-child{text-align:right}
details{border-top:1px solid var(--line);padding:.6em 0}
summary{cursor:pointer;font-weight:600}summary small{color:var(--soft);font-weight:400}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1.2rem;
margin-top:.6em}
.sides h3{font-size:.95rem;margin:.2em 0 .5em;color:var(--soft);font-weight:600}
ol{list-style:none;margin:0;padding:0}
li{display:grid;grid-template-columns:1.7rem 1fr;gap:.2rem .6rem;padding:.45em 0;
border-bottom:1px solid var(--line);font-size:.93rem}
li>b{text-align:right;font-variant-numeric:tabular-nums}
li .meta{color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums}
.up{color:var(--up);font-weight:600}.down{color:var(--down);font-weight:600}
mark{background:var(--mark);color:inherit;font-weight:600;border-radius:2px}
"""


def write(found: Difference, path: Path) -> None:
    """Write the page."""
    path.write_text(page(found), encoding="utf-8", errors="backslashreplace")


def page(found: Difference) -> str:
    """The page: what changes in a sentence and in figures, by what, and the queries side by side.

    The first lines of documents are in it: it may be shown to whoever may read these.
    """
    title = f"{found.old.name} → {found.new.name}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{''.join(_body(found))}</main></body></html>\n"
    )


def _body(found: Difference) -> Iterator[str]:
    yield f"<p>{escape(found.verdict)}</p>"
    yield (
        '<p class="soft">This says how much moves, not which is better: that takes judgements. '
        f"A query's change is 1 minus the rank-biased overlap of its first {found.top} documents."
        "</p>"
    )
    yield _facts(found)
    yield f"<h2>How much the queries change</h2>{_bars(_distribution(found))}"
    if found.causes:
        total = sum(found.causes.values())
        yield (
            "<h2>What moved documents</h2>"
            f'<p class="soft">{total} documents that were or are among the first {found.top} stand '
            "elsewhere; each counts for the signal that moved it most.</p>"
            f"{_bars(list(found.causes.items()))}"
        )
    if found.carried is not None or found.untold is not None:
        told = str(found.carried) if found.carried is not None else found.untold or ""
        yield f"<h2>The threshold</h2><p>{escape(told[0].upper() + told[1:])}.</p>"
    shown = [one for one in found.queries if one.change][:SHOWN]
    if shown:
        yield f"<h2>The {len(shown)} queries that change most</h2>"
        for position, one in enumerate(shown):
            yield _query(found, one, opened=position == 0)


def _facts(found: Difference) -> str:
    still = sum(not one.change for one in found.queries)
    facts = [
        (f"{found.change:.2f}", "mean change, 0 to 1"),
        (f"{found.same:.0%}", f"of the first {found.top} stay among them"),
        (f"{found.another_first:.0%}", "of queries: another first document"),
        (f"{still} of {len(found.queries)}", "queries without any change"),
    ]
    if found.carried is not None:
        facts.append((f"{found.carried.new:.3g}", f"for the threshold {found.carried.old:.3g}"))
    cells = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in facts)
    return f'<div class="facts">{cells}</div>'


def _distribution(found: Difference) -> list[tuple[str, int]]:
    counts = [0] * _BARS
    none = 0
    for one in found.queries:
        if one.change:
            counts[min(_BARS - 1, int(one.change * _BARS))] += 1
        else:
            none += 1
    last = max((at for at, count in enumerate(counts) if count), default=-1)
    named = [
        (f"{'above 0' if not at else f'{at / _BARS:.1f}'} to {(at + 1) / _BARS:.1f}", count)
        for at, count in enumerate(counts[: last + 1])
    ]
    return [("no change", none), *named]


def _bars(rows: Sequence[tuple[str, int]]) -> str:
    most = max((count for _, count in rows), default=0) or 1
    return (
        '<div class="bars">'
        + "".join(
            f"<div><span>{escape(name)}</span>"
            f'<i style="width:{100 * count / most:.1f}%"></i><span>{count or "none"}</span></div>'
            for name, count in rows
        )
        + "</div>"
    )


def _query(found: Difference, one: Changed, *, opened: bool) -> str:
    asked = found.collection.queries.get(one.query) or one.query
    moves = {move.document: move for move in one.moves}
    sides = "".join(
        f"<div><h3>{escape(run.name)}</h3><ol>{_side(found, one, ids, moves, new=new)}</ol></div>"
        for run, new in ((found.old, False), (found.new, True))
        for ids in [run.rankings[one.query].ids[: found.top]]
    )
    return (
        f"<details{' open' if opened else ''}><summary>{escape(asked)} <small>changes by "
        f"{one.change:.2f}</small></summary>"
        f'<div class="sides">{sides}</div></details>'
    )


def _side(
    found: Difference, one: Changed, ids: Sequence[str], moves: dict[str, Move], *, new: bool
) -> str:
    texts = {str(c.id): c.text for c in found.collection.candidates[one.query]}
    wanted = terms(found.collection.queries.get(one.query, ""))
    rows = []
    for rank, doc in enumerate(ids, start=1):
        move = moves.get(doc)
        text = texts.get(doc, "")
        body = marked(snippet(text, wanted, SNIPPET), wanted) if text else escape(doc)
        rows.append(f"<li><b>{rank}</b><div>{body}{_meta(move, new=new)}</div></li>")
    return "".join(rows)


def _meta(move: Move | None, *, new: bool) -> str:
    if move is None:
        return ""
    here, there = (move.after, move.before) if new else (move.before, move.after)
    told = escape(_signals(here))
    if not move.up:
        return f'<div class="meta">{told}</div>'
    rises = move.up > 0
    arrow, css = ("▲", "up") if rises else ("▼", "down")
    place = f"was {there.rank}" if new else f"now {there.rank}"
    why = (
        f'<div class="meta">by {escape(move.why)}</div>' if new and move.by in here.signals else ""
    )
    if new and not why:
        why = f'<div class="meta">{escape(move.why)}</div>'
    return f'<div class="meta"><span class="{css}">{arrow} {place}</span> · {told}</div>{why}'


def _signals(here: Standing) -> str:
    score = "not scored" if here.score is None else f"score {here.score:.3g}"
    others = [f"{name} {value:.3g}" for name, (value, _) in here.signals.items() if name != "score"]
    return " · ".join([score, *others]) if len(others) > 1 else score
