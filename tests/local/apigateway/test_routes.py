"""Which route a request takes."""

import pytest

from infra.local.apigateway.routes import Route


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/models/a", "GET /models/{name}"),
        ("PUT", "/models/a", "ANY /models/{name}"),
        ("GET", "/models/live", "GET /models/live"),
        ("GET", "/deep/er/path", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str) -> None:
    keys = ["$default", "ANY /{proxy+}", "ANY /models/{name}", "GET /models/{name}",
            "GET /models/live"]  # fmt: skip
    routes = [Route(name, "arn", "NONE", 1) for name in keys]
    fits = [(found[0], route.key) for route in routes if (found := route.match(method, path))]
    assert max(fits)[1] == key
