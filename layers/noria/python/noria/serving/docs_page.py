"""The API's documentation as one self-contained page: no script, nothing from another site."""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noria.serving.form_page import PAGE_STYLE

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 4  # schemas in schemas that are written out
OWN_STYLE = """
section { border-top:1px solid var(--edge); margin-top:1.6rem; padding-top:.4rem; }
h2 code { overflow-wrap:anywhere; } .scroll { overflow-x:auto; }
.method { display:inline-block; font-size:.85rem; padding:.1rem .5rem; border-radius:.3rem;
  background:var(--act); color:var(--on-act); margin-right:.5rem; }
table { border-collapse:collapse; width:100%; font-size:.92rem; }
th, td { text-align:left; vertical-align:top; padding:.3rem .8rem .3rem 0;
  border-bottom:1px solid var(--edge); overflow-wrap:anywhere; }
"""


def render_docs(document: Mapping[str, Any], openapi_url: str = "openapi.json") -> str:
    """Render an OpenAPI document: its operations with their bodies, fields and answers."""
    info = document.get("info", {})
    schemas: Mapping[str, Schema] = document.get("components", {}).get("schemas", {})
    operations = [
        _operation(path, method, operation, schemas)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in METHODS
    ]
    title = f"{info.get('title', 'API')}: documentation"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_text(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{PAGE_STYLE}{OWN_STYLE}</style></head><body><main><h1>{_text(title)}</h1>"
        f"<p>{_text(info.get('description', ''))}</p>"
        f'<p class="note">For programs: <a href="{_text(openapi_url)}">the OpenAPI document</a>. '
        '<a href="./">The form</a> asks the model by hand.</p>'
        f"{''.join(operations)}</main></body></html>\n"
    )


def _operation(path: str, method: str, operation: Schema, schemas: Mapping[str, Schema]) -> str:
    told = operation.get("description") or operation.get("summary") or ""
    return (
        f'<section><h2><span class="method">{_text(method.upper())}</span>'
        f"<code>{_text(path)}</code></h2><p>{_text(told)}</p>"
        f"{_parameters(operation)}{_bodies(operation, schemas)}{_answers(operation, schemas)}"
        "</section>"
    )


def _parameters(operation: Schema) -> str:
    rows = [
        (
            f"{one.get('name', '')} ({one.get('in', '')})",
            type_text(one.get("schema", {})),
            str(one.get("description", "")),
        )
        for one in operation.get("parameters", [])
    ]
    return _table("Parameters", ("name", "type", "meaning"), rows)


def _bodies(operation: Schema, schemas: Mapping[str, Schema]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(
        f"<h3>Body, {_text(kind)}</h3>{_schema(given.get('schema', {}), schemas)}"
        f"{_example(given, schemas)}"
        for kind, given in content.items()
    )


def _answers(operation: Schema, schemas: Mapping[str, Schema]) -> str:
    rows = [
        (status, str(answer.get("description", "")), _answer_type(answer, schemas))
        for status, answer in operation.get("responses", {}).items()
    ]
    return _table("Answers", ("status", "means", "body"), rows)


def _answer_type(answer: Schema, schemas: Mapping[str, Schema]) -> str:
    return ", ".join(
        f"{kind}: {type_text(resolved(given.get('schema', {}), schemas))}"
        for kind, given in answer.get("content", {}).items()
    )


def _schema(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    rows = [*_fields(schema, schemas, "", 0)]
    table = _table("", ("field", "type", "meaning"), rows)
    return table or f"<p>{_text(type_text(schema))}</p>"


def _fields(
    schema: Schema, schemas: Mapping[str, Schema], prefix: str, depth: int
) -> Iterator[tuple[str, str, str]]:
    """The fields of a body, those of inner objects after their own; the first of alternatives."""
    found = resolved(schema, schemas)
    if depth > DEEPEST:
        return
    for option in [*found.get("anyOf", []), *found.get("oneOf", [])][:1]:
        yield from _fields(option, schemas, prefix, depth + 1)
    required = found.get("required", [])
    for name, inner in found.get("properties", {}).items():
        field, whole = f"{prefix}{name}", resolved(inner, schemas)
        needed = " (required)" if name in required else ""
        yield f"{field}{needed}", type_text(whole), str(whole.get("description", ""))
        yield from _fields(whole.get("items", whole), schemas, _inside(field, whole), depth + 1)


def _inside(field: str, schema: Schema) -> str:
    return f"{field}[]." if "items" in schema else f"{field}."


def _example(given: Schema, schemas: Mapping[str, Schema]) -> str:
    found = example_of(given.get("schema", {}), schemas, 0)
    if found is None:
        return ""
    return f"<h4>Example</h4><pre>{_text(json.dumps(found, indent=2))}</pre>"


def example_of(schema: Schema, schemas: Mapping[str, Schema], depth: int) -> Any:
    """A body that fits, put together from the schemas' examples; None where there is none."""
    found = resolved(schema, schemas)
    if "example" in found or depth > DEEPEST:
        return found.get("example")
    for option in [*found.get("anyOf", []), *found.get("oneOf", [])]:
        made = example_of(option, schemas, depth + 1)
        if made is not None:
            return made
    if "items" in found:
        made = example_of(found["items"], schemas, depth + 1)
        return None if made is None else [made]
    inner = {
        name: example_of(one, schemas, depth + 1)
        for name, one in found.get("properties", {}).items()
    }
    kept = {name: value for name, value in inner.items() if value is not None}
    return kept or None


def resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """A schema itself, in place of a reference to it."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return schemas.get(name, {}) if name else schema


def type_text(schema: Schema) -> str:
    """A schema's type for people."""
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(type_text(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = schema.get("type", "any")
    told = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        limits = [schema.get("minItems"), schema.get("maxItems")]
        sized = " to ".join(f"{one:,}" for one in limits if one is not None)
        return f"list of {sized}" if sized else "list"
    return f"{told}, {schema['format']}" if "format" in schema else told


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    heading = f"<h3>{_text(caption)}</h3>" if caption else ""
    names = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    lines = "".join(
        f'<tr><th scope="row"><code>{_text(row[0])}</code></th>'
        + "".join(f"<td>{_text(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    table = f"<table><tr>{names}</tr>{lines}</table>"
    return f'{heading}<div class="scroll" tabindex="0">{table}</div>'


def _text(value: Any) -> str:
    return html.escape(str(value))
