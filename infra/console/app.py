"""The console as a web app: its pages, put together, and what it says when something fails."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from infra.cli.aws_errors import remedied
from infra.cli.errors import UsageMistakeError
from infra.console import form_routes, live_routes, model_routes, run_actions, run_routes
from infra.console.pages import page, script, style_sheet
from infra.console.protection import ForgedRequestError, Gate
from infra.console.stacks import StackBook
from noria.errors import ContractError, NoriaError
from noria.serving.form_script import SCRIPT


def console_app(book: StackBook, gate: Gate) -> FastAPI:
    """The app over some stacks, behind a gate."""
    app = FastAPI(title="Noria console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.book, app.state.gate = book, gate
    app.middleware("http")(gate.guard)
    for room in (run_routes, run_actions, model_routes, live_routes, form_routes):
        app.include_router(room.router, prefix="/stacks/{stack}")
    _add_home(app, book)
    _add_assets(app)
    for kind in (NoriaError, ClientError, BotoCoreError, HTTPException, RequestValidationError):
        app.exception_handler(kind)(failed)
    return app


def _add_home(app: FastAPI, book: StackBook) -> None:
    def home() -> Response:
        names = book.names()
        if len(names) == 1:
            return RedirectResponse(f"/stacks/{names[0]}", 303)
        return page("home", stack="", here="", names=names, is_local=book.local is not None)

    app.get("/", response_class=HTMLResponse)(home)


def _add_assets(app: FastAPI) -> None:
    assets: dict[str, tuple[Callable[[], str], str]] = {
        "console.css": (style_sheet, "text/css"),
        "console.js": (script, "text/javascript"),
        "form.js": (lambda: SCRIPT, "text/javascript"),
    }

    def asset(name: str) -> Response:
        if name not in assets:
            raise HTTPException(404)
        write, kind = assets[name]
        return Response(write(), media_type=f"{kind}; charset=utf-8")

    app.get("/static/{name}")(asset)


async def failed(request: Request, error: Exception) -> Response:
    """Say what failed and what helps, as a page or, to a script, as JSON."""
    status, told = _status(error), _told(error)
    if "application/json" in request.headers.get("accept", "") or _is_script(request):
        return JSONResponse({"detail": told}, status)
    stack = request.path_params.get("stack", "")
    return page("error", status, stack=stack, here="", told=told, code=status)


def _is_script(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _status(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, ForgedRequestError):
        return 403
    if isinstance(error, RequestValidationError):
        return 404  # no such name can be in a path
    mistaken = isinstance(error, ContractError | UsageMistakeError)
    return 422 if mistaken else 502


def _told(error: Exception) -> str:
    if isinstance(error, HTTPException | RequestValidationError):
        return "there is no such page"
    if isinstance(error, ClientError | BotoCoreError):
        return f"AWS did not do it: {remedied(error)}; then load the page again"
    return str(error)
