"""The page for people: a form made from the model's signature, in one self-contained document."""

import html
import json
from string import Template
from typing import Any

from noria.core.model.signature import Field, Signature

NOTES = {
    "iam": "This endpoint takes requests signed with AWS credentials (SigV4), and a browser cannot "
    "sign: where the button below answers 403, copy the command instead.",
    "jwt": "This endpoint takes requests with a bearer token, and a browser does not add one by "
    "itself: where the button below answers 401, copy the command instead.",
}
SIGNED = (
    '--aws-sigv4 "aws:amz:$AWS_REGION:execute-api" '
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
    '-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"'
)
BEARER = '-H "Authorization: Bearer $TOKEN"'

_DOCUMENT = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2733; background: #fff }
h1 { font-size: 1.4rem } small, .note { color: #56616d }
form { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .8rem }
label { display: block; font-weight: 600 } label small { font-weight: 400; display: block }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .3rem .5rem;
  border: 1px solid #8a97a3; border-radius: .3rem }
button { font: inherit; padding: .5rem 1.2rem; border: 0; border-radius: .3rem;
  background: #0b5cad; color: #fff; cursor: pointer; align-self: end }
pre { background: #f1f4f7; padding: .8rem; border-radius: .3rem; white-space: pre-wrap;
  overflow-wrap: anywhere }
</style></head><body>
<h1>$title</h1>
<p>$statement</p>
$body
<p><a href="docs">API documentation</a> · <a href="model">the model</a> ·
<a href="health">health</a></p>
</body></html>
""")

_FORM = Template("""<p class="note">Model <code>$version</code> predicts <b>$target</b> ($task).
A field left empty is sent as unknown.</p>
<form id="form">$fields<button>Predict</button></form>
<h2>Answer</h2><pre id="answer" role="status">none yet</pre>
<h2>The same by curl</h2><p class="note">$note</p><pre id="curl"></pre>
<script type="application/json" id="kinds">$kinds</script>
<script>
const kinds = JSON.parse(document.getElementById("kinds").textContent);
const form = document.getElementById("form");
function row() {
  const values = {};
  for (const input of form.querySelectorAll("input")) {
    const text = input.value.trim();
    if (text === "") continue;
    const kind = kinds[input.name], isNumber = kind === "number" && Number.isFinite(Number(text));
    const isTruth = kind === "boolean" && (text === "true" || text === "false");
    values[input.name] = isNumber ? Number(text) : isTruth ? text === "true" : text;
  }
  return JSON.stringify({rows: [values]});
}
function show() {
  const url = new URL("predict", location.href).href;
  document.getElementById("curl").textContent =
    "curl " + $credentials + " -H 'Content-Type: application/json' -d '" +
    row().replaceAll("'", "'\\\\''") + "' " + url;
}
form.addEventListener("input", show);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = document.getElementById("answer");
  answer.textContent = "…";
  try {
    const reply = await fetch("predict", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: row()});
    const text = await reply.text();
    try { answer.textContent = reply.status + "\\n" + JSON.stringify(JSON.parse(text), null, 2); }
    catch { answer.textContent = reply.status + "\\n" + text; }
  } catch (error) { answer.textContent = String(error); }
});
show();
</script>""")


def render(version: str, signature: Signature, auth: str) -> str:
    """Render the form of a model."""
    body = _FORM.substitute(
        version=html.escape(version),
        target=html.escape(signature.target),
        task=signature.task,
        fields="".join(_input(field, signature.example) for field in _fields(signature)),
        note=html.escape(NOTES.get(auth, NOTES["iam"])),
        kinds=script_json({field.name: _input_kind(field) for field in _fields(signature)}),
        credentials=script_json(BEARER if auth == "jwt" else SIGNED),
    )
    return _page(signature.problem, signature.statement, body)


def _input_kind(field: Field) -> str:
    """What a field's text is sent as: a number or a truth value where the data had one."""
    if field.type == "boolean":
        return "boolean"
    return "number" if field.kind == "number" or field.type in ("integer", "number") else "text"


def _fields(signature: Signature) -> list[Field]:
    """The fields of the form: what names an entity first, and nothing that is looked up."""
    asked = {field.name: field for field in signature.asked}
    if signature.history is None:
        return list(asked.values())
    named = {key.name: Field(name=key.name, kind="category") for key in signature.history.keys}
    when = {signature.history.event_time: Field(name=signature.history.event_time,
                                                kind="timestamp")}  # fmt: skip
    return list((named | when | asked).values())


def render_empty(reason: str) -> str:
    """Render the page of an endpoint that has no model yet."""
    return _page("No model yet", reason, "")


def script_json(value: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026")


def _page(title: str, statement: str, body: str) -> str:
    return _DOCUMENT.substitute(
        title=html.escape(title), statement=html.escape(statement), body=body
    )


def _input(field: Field, example: dict[str, Any]) -> str:
    value = example.get(field.name)
    identity = f"options-{html.escape(field.name)}"
    texts = ("true", "false") if field.type == "boolean" else field.values
    options = "".join(f'<option value="{html.escape(text)}">' for text in texts)
    choices = f'<datalist id="{identity}">{options}</datalist>' if options else ""
    listed = f' list="{identity}"' if options else ""
    shown = "" if value is None else html.escape(_shown(value))
    name = html.escape(field.name)
    return (
        f"<label>{name}<small>{html.escape(hint(field))}</small>"
        f'<input name="{name}" value="{shown}"{listed} autocomplete="off"></label>{choices}'
    )


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def hint(field: Field) -> str:
    """Say what a field takes, from what training saw."""
    if field.kind == "timestamp":
        return "time, ISO 8601"
    if field.type == "boolean":
        return "boolean, true or false"
    if field.kind == "number" and field.minimum is not None and field.maximum is not None:
        return f"number, {field.minimum:g} to {field.maximum:g}"
    return "number" if field.kind == "number" else "text"
