"""A lineage as one self-contained HTML page: what it says, the picture, every step in full."""

from html import escape

from noria.core.lineage.document import Item, Lineage, Step
from noria.core.lineage.graph_svg import STYLE_OF_BOXES, chain
from noria.core.lineage.sentences import printable, sentences
from noria.core.lineage.text_tree import SHORT, closing, heading, state_of
from noria.core.reporting import html as parts
from noria.core.reporting.stylesheet import STYLE

STYLE_OF_PAGE = """
.sides { display:grid; grid-template-columns:minmax(0,1fr); gap:14px; }
.sides svg { max-width:520px; margin:0 auto; }
td code { font-size:.82rem; white-space:nowrap; }
td.where { min-width:9rem; overflow-wrap:anywhere; }
.bad-text { color:var(--bad); font-weight:600; }
@media (min-width:900px) {
  .sides { grid-template-columns:minmax(0,9fr) minmax(0,11fr); align-items:start; }
  .sides > .picture { position:sticky; top:14px; } }
"""


def render_page(lineage: Lineage) -> str:
    """Render the page; it opens offline, has no scripts, and all text in it is escaped."""
    title = escape(f"{lineage.stack}: {lineage.asked}")
    steps = "".join(_step(step) for step in lineage.steps)
    return printable(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}{STYLE_OF_BOXES}{STYLE_OF_PAGE}</style></head>"
        f"<body><main>{_hero(lineage)}"
        f'<div class="sides"><div class="card picture">{chain(lineage)}</div>'
        f"<div>{steps}</div></div></main></body></html>"
    )


def _hero(lineage: Lineage) -> str:
    broken = bool(lineage.problems)
    tone = "bad" if broken else "good"
    return (
        f'<div class="card hero {tone}"><p class="name">{escape(lineage.stack)}</p>'
        f"<h1>Where {escape(lineage.asked)} comes from</h1>"
        f"{parts.badge('broken or changed' if broken else 'whole', tone)}"
        f"{parts.bullets(lineage.problems or [closing(lineage)])}</div>"
    )


def _step(step: Step) -> str:
    wrong = "".join(f'<p class="bad-text">{escape(problem)}</p>' for problem in step.problems)
    return parts.card(
        heading(step), f"{wrong}{parts.bullets(sentences(step))}{_objects(step.objects)}" or " "
    )


def _objects(items: list[Item]) -> str:
    if not items:
        return ""
    rows = "".join(
        f'<tr><td class="where">{escape(item.where)}{_rows(item)}</td>'
        f"<td>{_sum(item)}{escape(state_of(item))}</td></tr>"
        for item in items
    )
    head = "<tr><th>object</th><th>SHA-256</th></tr>"
    sums = [f"{item.sha256}  {item.where}" for item in items if item.sha256]
    full = f"<details><summary>Checksums in full</summary><pre>{escape(chr(10).join(sums))}</pre>"
    table = f'<div class="scroll"><table>{head}{rows}</table></div>'
    return f"{table}{full}</details>" if sums else table


def _rows(item: Item) -> str:
    return "" if item.rows is None else f' <span class="soft">{item.rows:,} rows</span>'


def _sum(item: Item) -> str:
    return f"<code>{escape(item.sha256[:SHORT])}</code><br>" if item.sha256 else ""
