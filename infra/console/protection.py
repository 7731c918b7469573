"""Who may drive the console: its own pages, in the browser of the person who started it.

It listens on 127.0.0.1 alone, which keeps neither other people of this machine out nor other web
sites that its browser visits. The printed address carries a key for the first; a cookie that no
other site's request carries, the Host and Origin headers and a token in every form for the second.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from noria.errors import NoriaError

KEY, FORM_TOKEN, TOKEN_HEADER = "key", "token", "x-noria-token"
LARGEST_FORM = 1_000_000  # bytes
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser says `Origin: null` of the console's own forms too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: For documents of a run: they may be looked at, in a frame of the console's, and do nothing.
INERT = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'"
)
Next = Callable[[Request], Awaitable[Response]]


class ForgedRequestError(NoriaError):
    """A form that this console did not write."""


def _fresh() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Gate:
    """The secrets of one console: the address's key, the browser's cookie, the forms' token."""

    port: int
    key: str = field(default_factory=_fresh)
    session: str = field(default_factory=_fresh)
    token: str = field(default_factory=_fresh)

    @property
    def url(self) -> str:
        """The address to open, with its key."""
        return f"http://127.0.0.1:{self.port}/?{urlencode({KEY: self.key})}"

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers do not tell ports apart, consoles do."""
        return f"noria-console-{self.port}"

    async def guard(self, request: Request, go_on: Next) -> Response:
        """Let a request pass, or say why not; every answer gets the protective headers."""
        answer = self._refusal(request) or self._opened(request) or await go_on(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def check(self, token: str | None) -> None:
        """Refuse a form without this console's token; raises ForgedRequestError."""
        if not secrets.compare_digest((token or "").encode(), self.token.encode()):
            raise ForgedRequestError(
                "the form is not of this console, or of an earlier one: load the page again"
            )

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return _refused(f"the console is at http://127.0.0.1:{self.port}, not at this name")
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return _refused("another site asked for this; the console answers its own pages only")
        known = request.cookies.get(self.cookie, "")
        if self._has_key(request) or _same(known, self.session):
            return None
        return _refused("open the address that `noria console` printed; it carries a key")

    def _has_key(self, request: Request) -> bool:
        return request.method == "GET" and _same(request.query_params.get(KEY, ""), self.key)

    def _opened(self, request: Request) -> Response | None:
        """Turn the key into a cookie, so that it is in no history and no page's address."""
        if not self._has_key(request):
            return None
        kept = [pair for pair in request.query_params.multi_items() if pair[0] != KEY]
        target = request.url.path + (f"?{urlencode(kept)}" if kept else "")
        answer = RedirectResponse(target, 303)
        answer.set_cookie(self.cookie, self.session, httponly=True, samesite="strict")
        return answer


async def posted(request: Request, gate: Gate) -> Mapping[str, str]:
    """The fields of a form that was sent; ForgedRequestError where it lacks the token."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise ForgedRequestError("the form is too large: a megabyte at most")
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    gate.check(fields.pop(FORM_TOKEN, None))
    return fields


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode(), kept.encode())


def _refused(reason: str) -> Response:
    return PlainTextResponse(f"{reason[:1].upper()}{reason[1:]}.\n", 403)
