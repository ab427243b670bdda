"""The frame of a page that stands alone: its style, its tables. No script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1b1e23;--soft:#5a6270;--line:#d5d9e0;
--panel:#f5f6f8;--grid:#d5d9e0;--first:#1260c4;--second:#b4530a;--mark:#fff0b3}
@media(prefers-color-scheme:dark){:root{--ground:#14171b;--text:#e8eaee;--soft:#a6aebb;
--line:#363d48;--panel:#1d2127;--grid:#363d48;--first:#74b0ff;--second:#ffae5e;--mark:#574a14}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem clamp(.8rem,3vw,2rem) 3rem;background:var(--ground);
color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.6em 0 .3em}h2{font-size:1.2rem;margin:2.2em 0 .4em}
h3{font-size:1rem;margin:1.4em 0 .3em}p{margin:.3em 0 .8em;max-width:46rem}
.soft,figcaption{color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.95rem;font-variant-numeric:tabular-nums}
.scroll+p{font-size:.9rem;margin-top:.5em}
th,td{padding:.35em .8em .35em 0;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top;overflow-wrap:normal;white-space:nowrap}
th:first-child,td:first-child{text-align:left;min-width:8em;white-space:normal;
overflow-wrap:anywhere}
thead th{font-weight:600;white-space:nowrap}tbody th{font-weight:600}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1.2rem}
figure{margin:0;padding:.8rem;background:var(--panel);border-radius:8px;max-width:30rem}
figure svg{width:100%;height:auto;display:block}
figure svg text{font-family:inherit!important}
figcaption{font-size:.9rem;margin-top:.3em}figcaption b{color:var(--text)}
ul.notes{padding-left:1.2em;margin:.5em 0}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1.2rem}
.sides ol{list-style:none;padding:0;margin:0}
.sides li{padding:.5em .7em;border-left:3px solid var(--line);margin-bottom:.5em;
font-size:.92rem;background:var(--panel)}
.sides li.relevant{border-left:3px double var(--first)}
.sides .head{display:flex;flex-wrap:wrap;gap:.2em .8em;font-variant-numeric:tabular-nums}
.tag{border:1px solid;border-radius:1em;padding:0 .6em;font-size:.85em;font-weight:600}
details{margin:.6em 0;border-top:1px solid var(--line);padding-top:.5em}
summary{cursor:pointer;font-weight:600}
mark{background:var(--mark);color:inherit;font-weight:600;border-radius:2px;padding:0 .1em}
@media print{details{display:block}}
"""


def page(title: str, body: str) -> str:
    """A whole HTML document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"{body}</main></body></html>\n"
    )


def table(label: str, head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table of texts, its first column and first row being headings."""
    titles = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    # beneath the box that scrolls, or a phone would cut it
    told = f'<p class="soft">{escape(caption)}</p>' if caption else ""
    return (
        f'<div class="scroll" tabindex="0"><table aria-label="{escape(label)}">'
        f"<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>{told}"
    )


def figure(drawing: str, title: str, caption: str) -> str:
    """A drawing with its title and what it says."""
    return (
        f"<figure>{drawing}<figcaption><b>{escape(title)}</b> {escape(caption)}</figcaption>"
        "</figure>"
    )


def section(title: str, explanation: str, content: str) -> str:
    """A part of the page."""
    return (
        f'<section><h2>{escape(title)}</h2><p class="soft">{escape(explanation)}</p>'
        f"{content}</section>"
    )
