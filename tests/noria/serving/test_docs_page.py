"""The API's documentation: all of it, from the document, and nothing from elsewhere."""

import re

from noria.serving.docs_page import render_docs
from noria.serving.openapi import body_of, schemas
from tests.support.tiny_model import binary_signature

HOSTILE = "<img src=x onerror=alert(1)>"
DOCUMENT = {
    "info": {"title": "Noria", "description": HOSTILE},
    "paths": {
        "/predict": {"post": {
            "description": "Answer rows.", **body_of("Rows"),
            "parameters": [{"name": "explain", "in": "query", "schema": {"type": "boolean"}}],
            "responses": {"200": {"description": "answers"}, "422": {"description": "refused"}},
        }},
        "/health": {"get": {"summary": "Health"}},
    },
    "components": {"schemas": schemas(binary_signature())},
}  # fmt: skip


def test_operations_have_their_fields_and_answers() -> None:
    page = render_docs(DOCUMENT)
    for told in ("/predict", "/health", "rows (required)", "rows[].distance", "list of 1 to 1,000",
                 "explain (query)", "422", "-3 to 3 in training"):  # fmt: skip
        assert told in page
    assert "&quot;carrier&quot;: &quot;AA&quot;" in page


def test_nothing_comes_from_another_site() -> None:
    page = render_docs(DOCUMENT)
    assert re.findall(r"https?://", page) == []
    assert "<script" not in page
    assert HOSTILE not in page


def test_a_document_without_operations_is_a_page() -> None:
    assert "<h1>API: documentation</h1>" in render_docs({})


def test_schemas_that_hold_themselves_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    document = {
        "paths": {"/": {"post": {"requestBody": body}}}, "components": {"schemas": {"Node": node}}
    }  # fmt: skip
    assert "next.next" in render_docs(document)
