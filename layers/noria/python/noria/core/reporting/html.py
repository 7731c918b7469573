"""Parts that a report is made of: cards, values, lists, tables, provenance."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeGuard

from noria.common.formatting import NOTHING, number, shortened

Document = Mapping[str, Any]
LONG = 12
TITLE = 100  # letters of a heading
TALL, FOLDED = 140, 70  # letters of a text in a cell that is folded, and of what is shown then


def plain(value: Any) -> str:
    """Write one value for people, escaped."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return number(value, 4)
    # Names break at their underscores, where they have to, and are copied as they are.
    return escape(str(value)).replace("_", "_<wbr>")


def card(title: str, content: str) -> str:
    """Frame a picture or a list under a heading; empty where there is nothing to show."""
    named = escape(shortened(title, TITLE))
    return f'<div class="card"><h3>{named}</h3>{content}</div>' if content else ""


def soft(sentence: str) -> str:
    """Write a remark in a quiet colour."""
    return f'<p class="soft">{escape(sentence)}</p>' if sentence else ""


def badge(text: str, tone: str) -> str:
    """Write a short word in a coloured frame."""
    return f'<span class="badge {tone}">{escape(text)}</span>'


def bullets(sentences: Sequence[Any], most: int = LONG) -> str:
    """List sentences; those beyond `most` are folded away."""
    if not sentences:
        return ""
    items = [f"<li>{escape(str(sentence))}</li>" for sentence in sentences]
    shown = f"<ul>{''.join(items[:most])}</ul>"
    if len(items) <= most:
        return shown
    rest = f"<ul>{''.join(items[most:])}</ul>"
    return f"{shown}<details><summary>{len(items) - most} more</summary>{rest}</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], best: int | None = None) -> str:
    """Write a table; numbers are set right, the best row is bold."""
    numeric = [
        bool(rows) and all(is_number(row[place]) or row[place] is None for row in rows)
        for place in range(len(head))
    ]
    header = "".join(
        f'<th class="n">{escape(name)}</th>' if right else f"<th>{escape(name)}</th>"
        for name, right in zip(head, numeric, strict=True)
    )
    body = "".join(
        f"<tr{' class=best' if place == best else ''}>"
        + "".join(
            f'<td class="n">{plain(value)}</td>' if right else f"<td>{_cell(value)}</td>"
            for value, right in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><tr class="head">{header}</tr>{body}</table></div>'


def _cell(value: Any) -> str:
    """Write a value in a table; a text that would make its row a tower is folded."""
    if not isinstance(value, str) or len(value) <= TALL:
        return plain(value)
    shown = f"<summary>{escape(shortened(value, FOLDED))}</summary>"
    return f"<details>{shown}{escape(value)}</details>"


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def facts(value: Any) -> str:
    """Write any JSON value: mappings as two columns, lists of mappings as tables."""
    if isinstance(value, Mapping):
        rows = "".join(
            f"<tr><th>{escape(str(name).replace('_', ' '))}</th><td>{facts(item)}</td></tr>"
            for name, item in value.items()
        )
        return f'<div class="scroll"><table>{rows}</table></div>' if rows else NOTHING
    if isinstance(value, list | tuple):
        return _facts_of_list(list(value))
    return plain(value)


def _facts_of_list(items: list[Any]) -> str:
    if not items:
        return NOTHING
    if not all(isinstance(item, Mapping) for item in items):
        return ", ".join(plain(item) for item in items)
    head = [
        name
        for name in dict.fromkeys(name for item in items for name in item)
        if any(item.get(name) not in (None, "") for item in items)
    ]
    rows = [[flat(item.get(name)) for name in head] for item in items]
    shown = table([name.replace("_", " ") for name in head], rows[:LONG])
    if len(rows) <= LONG:
        return shown
    rest = table([name.replace("_", " ") for name in head], rows[LONG:])
    return f"{shown}<details><summary>{len(rows) - LONG} more</summary>{rest}</details>"


def flat(value: Any) -> Any:
    """Write what is nested inside a table's cell on one line."""
    if isinstance(value, list | tuple):
        return " to ".join(number(v) if is_number(v) else str(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {flat(item)}" for name, item in value.items())
    return value


def provenance(run: Document, problem: Document) -> str:
    """Show the run, its cause and the contract as it was used."""
    contract = escape(json.dumps(problem, indent=2, ensure_ascii=False, default=str))
    return (
        f'<h2>Provenance</h2><div class="card">{facts(run) if run else ""}'
        f"<details><summary>The contract of this run</summary><pre>{contract}</pre></details></div>"
    )
