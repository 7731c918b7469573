"""Requests that Schemathesis makes of an OpenAPI document, half of them against its schemas.

Takes the document's file and a number per operation, and prints a JSON line per request: `method`,
`path`, `query`, `headers` and `body` (base64).
"""

import base64
import csv
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning, Unsatisfiable
from schemathesis.generation import GenerationMode

BASE = "https://endpoint.example"
PARTS = ("method", "url", "headers", "params", "data", "json", "files", "cookies")


def main(document: Path, count: int) -> None:
    """Print requests of each operation."""
    warnings.simplefilter("ignore", HypothesisWarning)
    described = json.loads(document.read_text())
    schemathesis.openapi.media_type("text/csv", tables(described))
    schema = schemathesis.openapi.from_dict(described)
    for operation in (found.ok() for found in schema.get_all_operations()):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            print_requests(operation.as_strategy(generation_mode=mode), count // 2)


def print_requests(cases: Any, count: int) -> None:
    """Print the requests of cases that a strategy makes; of some operations none can be wrong."""

    @settings(max_examples=count, derandomize=True, database=None, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(cases)
    def write(case: Any) -> None:
        print(json.dumps(plain(case)))

    try:
        write()
    except Unsatisfiable:
        return


def plain(case: Any) -> dict[str, Any]:
    """A case as it would be sent."""
    told = case.as_transport_kwargs(base_url=BASE)
    asked = requests.Request(**{name: told[name] for name in PARTS if name in told})
    sent = asked.prepare()
    address = urlsplit(str(sent.url))
    body = sent.body or b""
    content = body.encode() if isinstance(body, str) else body
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in sent.headers.items()
    }
    return {
        "method": sent.method, "path": address.path, "query": address.query, "headers": headers,
        "body": base64.b64encode(content).decode(),
    }  # fmt: skip


def tables(document: dict[str, Any]) -> Any:
    """CSV with some of the row's fields, and with whatever stands in its cells; some is none."""
    names = [*document["components"]["schemas"]["Row"]["properties"]]
    cells = (
        st.text(max_size=8) | st.floats(width=32).map(str) | st.integers().map(str) | st.just("")
    )
    titles = st.lists(st.sampled_from(names), min_size=1, unique=True)
    whole = titles.flatmap(
        lambda some: st.tuples(
            st.just(some), st.lists(st.lists(cells, min_size=len(some), max_size=len(some)))
        )
    )
    ragged = st.tuples(st.lists(st.text(max_size=3)), st.lists(st.lists(cells), max_size=4))
    return (whole | ragged).map(written) | st.binary(max_size=40)


def written(table: tuple[list[str], list[list[str]]]) -> bytes:
    """A table's bytes."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([table[0], *table[1]])
    return text.getvalue().encode("utf-8", "surrogatepass")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
