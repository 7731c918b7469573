"""The console's pages: one environment of templates, in which every text is escaped."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.console import wheel
from infra.docs.palettes import PALETTES
from noria.common.formatting import duration
from noria.core.reporting.stylesheet import STYLE
from noria.serving.form_script import STYLE as FORM_STYLE

HERE = Path(__file__).parent
CHART_RULES = "\nsvg "
DARK = "@media (prefers-color-scheme: dark)"


def page(template: str, status: int = 200, **view: Any) -> HTMLResponse:
    """Answer with a page of `templates/`."""
    return HTMLResponse(fragment(template, **view), status)


def fragment(template: str, **view: Any) -> str:
    """Write a piece of a page."""
    return TEMPLATES.get_template(f"{template}.html.j2").render(view)


def style_sheet() -> str:
    """The report's style and the console's own, with the machine's colours, light and dark.

    The machine's picture has sizes of its own, so that the rules for charts pass over it.
    """
    charts = STYLE.replace(CHART_RULES, "\nsvg:not(.machine) ")
    own = (HERE / "static" / "console.css").read_text(encoding="utf-8")
    light, dark = wheel.colours("light"), wheel.colours("dark")
    assert set(PALETTES) == {"light", "dark"}  # noqa: S101 - no third one is left out
    return f"{charts}\n:root {{ {light} }}\n{DARK} {{ :root {{ {dark} }} }}\n{FORM_STYLE}\n{own}"


def script() -> str:
    """The console's own script."""
    return (HERE / "static" / "console.js").read_text(encoding="utf-8")


def _when(moment: datetime | None) -> str:
    """A time in UTC, to the minute."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _lasting(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return duration(round(seconds, 1) if seconds < 60 else round(seconds))


def _short(run: str) -> str:
    """A run's name where there is little room: the first part of those that AWS makes."""
    return run if len(run) <= 20 else f"{run[:8]}…"


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _filters() -> Mapping[str, Any]:
    return {"when": _when, "lasting": _lasting, "short": _short, "told_lines": _lines}


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= _filters()
