"""Requests and the routes of an HTTP API that they fit."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Request:
    """A request as it came over the socket; header names are in lower case."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source: str

    @property
    def path(self) -> str:
        """The path with its escapes decoded."""
        return unquote(self.raw_path)


@dataclass(frozen=True)
class Route:
    """A route key of the API, the function behind it, and how callers prove themselves."""

    key: str
    function_arn: str
    authorization: str
    timeout: float

    def match(self, method: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
        """Say how well this route fits (greater is better), with the path's parameters."""
        if self.key == "$default":
            return (0,), {}
        wanted, pattern = self.key.split(" ", 1)
        if wanted not in ("ANY", method):
            return None
        parts = re.split(r"\{(\w+\+?)\}", pattern.rstrip("/") or "/")
        names = [name.rstrip("+") for name in parts[1::2]]
        greedy = any(name.endswith("+") for name in parts[1::2])
        regex = "".join(
            re.escape(part) if index % 2 == 0 else (r"(.+)" if part.endswith("+") else r"([^/]+)")
            for index, part in enumerate(parts)
        )
        found = re.fullmatch(regex, path.rstrip("/") or "/")
        if found is None:
            return None
        rank = (1, not greedy, len(pattern) - 100 * len(names), wanted != "ANY")
        return rank, dict(zip(names, found.groups(), strict=True))


def routes_of(api: Any) -> list[Route]:
    """List the routes of an API of moto, with the functions behind them."""
    routes = []
    for route in api.routes.values():
        integration = api.integrations[route.target.removeprefix("integrations/")]
        seconds = int(integration.timeout_in_millis or 30_000) / 1000
        authorization = route.authorization_type or "NONE"
        arn = _function_arn(integration.integration_uri)
        routes.append(Route(route.route_key, arn, authorization, seconds))
    return routes


def best_route(
    routes: Iterable[Route], method: str, path: str
) -> tuple[Route, dict[str, str]] | None:
    """Find the most specific route that fits, with the path's parameters."""
    fits = [(match[0], route, match[1]) for route in routes if (match := route.match(method, path))]
    if not fits:
        return None
    _, route, parameters = max(fits, key=lambda fit: fit[0])
    return route, parameters


def _function_arn(uri: str) -> str:
    """Take the function's ARN out of an integration URI, which may be that ARN itself."""
    found = re.search(r"functions/(arn:[^/]+)/invocations", uri)
    return found.group(1) if found else uri
