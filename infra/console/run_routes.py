"""Pages on runs: the wheel with a run lit in it, all runs, and the reports."""

from concurrent.futures import ThreadPoolExecutor

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from infra.console.pages import page
from infra.console.parameters import RunName, Stack
from infra.console.protection import INERT
from infra.console.run_page import known_run, progress_of, run_page
from infra.console.run_views import latest_run, list_runs

router = APIRouter(default_response_class=HTMLResponse)
PARALLEL_READS = 16


@router.get("")
def machine(request: Request, stack: Stack) -> Response:
    """The wheel with the run that goes on, or the last one, and a form to start another."""
    return run_page(request, stack, latest_run(stack), here="machine")


@router.get("/runs")
def runs(stack: Stack, features: bool = False) -> Response:
    """All runs."""
    found = list_runs(stack, features=features)
    return page("runs", stack=stack.name, here="runs", runs=found, features=features)


@router.get("/runs/{run}")
def one_run(request: Request, stack: Stack, run: RunName) -> Response:
    """One run."""
    return run_page(request, stack, run, here="runs")


@router.get("/runs/{run}/progress")
def progress(stack: Stack, run: RunName) -> Response:
    """Where a run is, for the script that lights the wheel."""
    return JSONResponse(progress_of(known_run(stack, run, stack.states())))


@router.get("/runs/{run}/report")
def report(stack: Stack, run: RunName) -> Response:
    """A run's report."""
    return document(stack.bucket.get(f"runs/{run}/report.html"))


@router.get("/runs/{run}/experiments")
def experiments(stack: Stack, run: RunName) -> Response:
    """A run's trials, drawn."""
    from noria.core.reporting.experiments_page import render_experiments

    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        keys = stack.bucket.keys(f"experiments/run={run}/")
        found = [one for one in pool.map(stack.bucket.json, keys) if one]
    return document(render_experiments(found, f"{stack.name}: {run}").encode() if found else None)


def document(content: bytes | None) -> Response:
    """A page that a run wrote: it can be looked at, and can do nothing; 404 where it is none."""
    if content is None:
        raise HTTPException(404)
    return HTMLResponse(content, headers={"Content-Security-Policy": INERT})
