"""The templates of the pages for people: one environment in which every text is escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from noria.common.formatting import shortened
from noria.core.reporting.blocks import plain
from noria.core.reporting.stylesheet import STYLE

TALL, FOLDED = 140, 70  # letters of a text in a cell that is folded, and of what is shown then


def render(template: str, **view: Any) -> str:
    """Write a page from a template beside the modules of `noria.core`, such as reporting/report."""
    return ENVIRONMENT.get_template(f"{template}.html.j2").render(view)


def _breakable(value: Any) -> Markup:
    """Write a value for people; names break at their underscores and are copied as they are."""
    return Markup("_<wbr>").join(plain(value).split("_"))


def _is_tall(value: Any) -> bool:
    """Whether a text would make its row of a table a tower."""
    return isinstance(value, str) and len(value) > TALL


ENVIRONMENT = Environment(
    loader=PackageLoader("noria.core", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {"plain": _breakable, "start": lambda text: shortened(text, FOLDED)}
ENVIRONMENT.tests["tall"] = _is_tall
ENVIRONMENT.globals["style"] = Markup(STYLE)  # noqa: S704 - a constant
