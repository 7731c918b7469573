"""The page for people: a form made from the model's signature, in one self-contained document."""

import html

from noria.core.model.signature import Signature
from noria.serving.form_fields import form_fields, form_values, script_json, sent_as
from noria.serving.form_script import SCRIPT, STYLE

NOTES = {
    "iam": "This endpoint takes requests signed with AWS credentials (SigV4), and a browser cannot "
    "sign: where the button below answers 403, copy the command instead, or open "
    "`noria console`, which signs.",
    "jwt": "This endpoint takes requests with a bearer token, and a browser does not add one by "
    "itself: where the button below answers 401, copy the command instead.",
}
SIGNED = (
    '--aws-sigv4 "aws:amz:$AWS_REGION:execute-api" '
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
    '-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"'
)
BEARER = '-H "Authorization: Bearer $TOKEN"'
PAGE_STYLE = """
:root { color-scheme:light dark; --ink:#1b2733; --soft:#56616d; --paper:#fff; --edge:#8a97a3;
  --back:#f1f4f7; --bad:#b3402a; --wait:#96600f; --c0:#2a6f97; --c1:#d9731a; --act:#0b5cad;
  --on-act:#fff; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6ebf0; --soft:#a3afbb; --paper:#131920;
  --edge:#6e7b88; --back:#1c242c; --bad:#f0907b; --wait:#e6b566; --c0:#62a9d6; --c1:#ee9a4d;
  --act:#8cc4f2; --on-act:#0d1117; } }
body { font:16px/1.5 system-ui, sans-serif; max-width:60rem; margin:2rem auto; padding:0 1rem;
  color:var(--ink); background:var(--paper); }
h1 { font-size:1.4rem; overflow-wrap:anywhere; } h2 { font-size:1.15rem; }
.note, .soft { color:var(--soft); } a { color:var(--act); }
button { font:inherit; padding:.5rem 1.2rem; border:0; border-radius:.3rem;
  background:var(--act); color:var(--on-act); cursor:pointer; }
pre { background:var(--back); padding:.8rem; border-radius:.3rem; white-space:pre-wrap;
  overflow-wrap:anywhere; }
"""


def render(version: str, signature: Signature, auth: str) -> str:
    """Render the form of a model."""
    setup = {
        "sent_as": sent_as(signature),
        "examples": [form_values(signature, signature.example)],
        "predict": "predict",
        "explain": "predict?explain=true",
        "headers": {},
        "target": signature.target,
        "credentials": BEARER if auth == "jwt" else SIGNED,
    }
    body = (
        f'<p class="note">Model <code>{html.escape(version)}</code> predicts '
        f"<b>{html.escape(signature.target)}</b> ({signature.task}). "
        "A field left empty is sent as unknown.</p>"
        '<p class="examples"><button type="button" data-example="0">Example</button>'
        '<label class="check"><input type="checkbox" id="explain"> explain</label></p>'
        f'<form id="form">{form_fields(signature)}'
        '<div class="asking"><button>Predict</button></div></form>'
        '<h2>Answer</h2><div id="answer" role="status"><p class="soft">none yet</p></div>'
        f'<h2>The same by curl</h2><p class="note">{html.escape(NOTES.get(auth, NOTES["iam"]))}</p>'
        '<pre id="curl"></pre>'
        f'<script type="application/json" id="setup">{script_json(setup)}</script>'
        f"<script>{SCRIPT}</script>"
    )
    return _page(signature.problem, signature.statement, body)


def render_empty(reason: str) -> str:
    """Render the page of an endpoint that has no model yet."""
    return _page("No model yet", reason, "")


def _page(title: str, statement: str, body: str) -> str:
    shown = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{shown}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{PAGE_STYLE}{STYLE}</style></head><body><main>"
        f"<h1>{shown}</h1>\n<p>{html.escape(statement)}</p>\n{body}\n"
        '<p><a href="docs">API documentation</a> · <a href="model">the model</a> · '
        '<a href="health">health</a></p></main></body></html>\n'
    )
