"""A lineage as one self-contained HTML page: what it says, the picture, every step in full."""

from markupsafe import Markup

from noria.core.lineage.document import Lineage
from noria.core.lineage.graph_svg import STYLE_OF_BOXES, chain
from noria.core.lineage.sentences import printable, sentences
from noria.core.lineage.text_tree import SHORT, closing, heading, state_of
from noria.core.reporting.templates import render


def render_page(lineage: Lineage) -> str:
    """Render the page; it opens offline, has no scripts, and all text in it is escaped."""
    steps = [
        {
            "heading": heading(step),
            "problems": step.problems,
            "sentences": sentences(step),
            "objects": step.objects,
        }
        for step in lineage.steps
    ]
    page = render(
        "lineage/page",
        title=f"{lineage.stack}: {lineage.asked}",
        lineage=lineage,
        steps=steps,
        closing=closing(lineage),
        picture=chain(lineage),
        style_of_boxes=Markup(STYLE_OF_BOXES),  # noqa: S704 - a constant
        state_of=state_of,
        short=SHORT,
    )
    return printable(page)
