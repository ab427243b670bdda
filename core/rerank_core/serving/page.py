"""The page at `/`: a question, documents, and the ranking as a notebook shows it. Stands alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1b1e23;--soft:#5a6270;--line:#767e8c;
--panel:#f5f6f8;--first:#1260c4;--on-first:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#14171b;--text:#e8eaee;--soft:#a6aebb;
--line:#7d8796;--panel:#1d2127;--first:#74b0ff;--on-first:#10151c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem clamp(.8rem,3vw,2rem) 3rem;background:var(--ground);
color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.2;margin:.4em 0 .2em}
p{margin:.2em 0 1em;color:var(--soft)}
form{display:grid;gap:.9rem}
label{display:grid;gap:.25rem;font-weight:600}
label small{font-weight:400;color:var(--soft)}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11rem),1fr));gap:.9rem;
align-items:end}
input,select,textarea{font:inherit;color:inherit;background:var(--panel);width:100%;
min-height:2.7em;font-weight:400;border:1px solid var(--line);border-radius:6px;padding:.5em .6em}
textarea{min-height:11rem;resize:vertical}
button{font:inherit;font-weight:600;min-height:2.7em;border:0;border-radius:6px;cursor:pointer;
background:var(--first);color:var(--on-first)}
button:disabled{opacity:.6;cursor:default}
:focus-visible{outline:3px solid var(--first);outline-offset:2px}
#said{min-height:1.5em;margin:1.2rem 0 .4rem;font-weight:600;font-variant-numeric:tabular-nums}
"""

_SCRIPT = """
const form = document.querySelector("form"), said = document.querySelector("#said");
const shown = document.querySelector("#shown"), button = document.querySelector("button");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(form), headers = {"Content-Type": "application/json",
    "Accept": "text/html"};
  const documents = given.get("documents").split("\\n").map((line) => line.trim())
    .filter((line) => line);
  const asked = {query: given.get("query"), documents};
  if (given.get("model")) asked.model = given.get("model");
  if (given.get("top_n")) asked.top_n = Number(given.get("top_n"));
  if (given.get("key")) headers.Authorization = "Bearer " + given.get("key");
  button.disabled = true;
  said.textContent = "Ranking …";
  try {
    const answer = await fetch("v2/rerank",
      {method: "POST", headers, body: JSON.stringify(asked)});
    const text = await answer.text();
    if (answer.ok) {
      const report = JSON.parse(answer.headers.get("X-Rerank-Report"));
      said.textContent = report.model + ", " + Math.round(report.ms) + " ms, "
        + Math.round(100 * report.coverage) + "% scored"
        + (report.reasons.length ? ": " + report.reasons.join(", ") : "");
      shown.innerHTML = text;
    } else {
      let why = text;
      try { why = JSON.parse(text).message; } catch {}
      said.textContent = "No ranking (" + answer.status + "): " + why;
      shown.textContent = "";
    }
  } catch {
    said.textContent = "The server cannot be reached.";
  }
  button.disabled = false;
});
"""

#: What may run and load on it: its own script and style, and rankings from where it came from.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; "
        f"script-src 'sha256-{b64encode(sha256(_SCRIPT.encode()).digest()).decode()}'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_QUERY = "how do I cancel a task?"
_DOCUMENTS = """\
A task is made by create_task, and runs when the loop comes to it.
To stop a task, call its cancel method: CancelledError is raised inside it at the next await.
Rome is the capital of Italy.
gather runs several coroutines at the same time, and waits for all of them.
A queue has a maximum size, and put waits until there is room."""


def page(models: Sequence[str], *, keyed: bool) -> bytes:
    """The whole page. `models`: the names to choose from; none: the name is to be typed.

    `keyed`: a key is needed, and asked for.
    """
    options = "".join(f"<option>{escape(name)}</option>" for name in models)
    model = (
        f'<label>Model<select name="model">{options}</select></label>'
        if models
        else '<label>Model<input name="model" autocomplete="off"></label>'
    )
    key = (
        '<label>API key<input name="key" type="password" autocomplete="off"></label>'
        if keyed
        else ""
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Rerank</title><style>{_STYLE}</style></head><body><main>"
        "<h1>Rerank</h1><p>Documents in the order in which they answer a question.</p><form>"
        f'<label>Question<input name="query" required value="{escape(_QUERY)}"></label>'
        "<label><span>Documents <small>one a line, in the retriever's order</small></span>"
        f'<textarea name="documents" required>{escape(_DOCUMENTS)}</textarea></label>'
        f'<div class="row">{model}<label>How many<input name="top_n" type="number" min="1" '
        f'value="10"></label>{key}<button>Rank</button></div></form>'
        f'<div id="said" role="status"></div><div id="shown"></div></main>'
        f"<script>{_SCRIPT}</script></body></html>\n"
    ).encode()
