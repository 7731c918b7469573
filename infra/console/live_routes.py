"""The page on live use: requests, latency, drift, quality, and retraining, as plots."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from infra.cli.deployed_stack import StackError
from infra.console.live_views import SPAN_NAMES, plots_of
from infra.console.pages import page
from infra.console.parameters import Stack
from infra.console.stacks import ShownStack
from noria.contracts import Problem

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/live")
def live(stack: Stack, span: Literal["3h", "1d", "14d"] = "1d") -> Response:
    """The plots; those of the endpoint for a span."""
    plots = plots_of(stack, _problem(stack), span)
    return page("live", stack=stack.name, here="live", plots=plots, span=span, spans=SPAN_NAMES)


def _problem(stack: ShownStack) -> Problem | None:
    """The deployed contract, for its limits; without it the plots have none."""
    try:
        return stack.access.contract()
    except StackError:
        return None
