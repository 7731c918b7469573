"""The templates: each compiles, escapes, and reaches Lambda with the code layer."""

import subprocess
import sys

import pytest
from jinja2 import UndefinedError

from infra.packaging.assets import CODE_LAYER, code_layer_asset
from infra.packaging.layers import Platform
from noria.core.reporting.blocks import Bullets, Card, Folded, Pairs, TableBlock, Text, Verbatim
from noria.core.reporting.report import render_report
from noria.core.reporting.templates import ENVIRONMENT, render

HOSTILE = """"'><script>alert(1)</script>&amp;"""
TEMPLATES = sorted(file.relative_to(CODE_LAYER) for file in CODE_LAYER.rglob("*.j2"))


def test_every_template_compiles() -> None:
    assert len(TEMPLATES) >= 5
    for file in TEMPLATES:
        ENVIRONMENT.get_template(file.relative_to("noria/core").as_posix())


def test_templates_are_in_the_code_layer() -> None:
    layer = code_layer_asset(Platform.HOST).path / "python"
    assert sorted(file.relative_to(layer) for file in layer.rglob("*.j2")) == TEMPLATES


def test_a_template_that_lacks_a_value_fails() -> None:
    with pytest.raises(UndefinedError):
        render("reporting/model_card", title="t")


def test_every_block_escapes_what_it_shows() -> None:
    card = Card(HOSTILE, [
        Text(HOSTILE), Bullets([HOSTILE] * 20), Verbatim(HOSTILE), Folded(HOSTILE, [Text(HOSTILE)]),
        Pairs([(HOSTILE, [Text(HOSTILE)])]),
        TableBlock([HOSTILE, "n"], [[HOSTILE, 1], [HOSTILE * 9, 2.5]], best=0),
    ])  # fmt: skip
    write = ENVIRONMENT.get_template("reporting/blocks.html.j2").module
    page = str(write.card(card))  # type: ignore[attr-defined]
    assert "<script" not in page
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;") == 29 + 2 + 9
    assert "&amp;lt;" not in page, "nothing is escaped twice"


def test_names_of_columns_are_escaped_once_in_pictures() -> None:
    column = {
        "name": HOSTILE, "profile": {"kind": "category", "missing": 0.5, "distinct": 2,
                                     "entropy": 1.0, "top": [{"value": HOSTILE, "share": 1}]},
        "related": {"strength": 0.5, "measure": "ROC AUC", "value": 0.7, "p_value": 0.01,
                    "significant": True},
    }  # fmt: skip
    page = render_report({"analysis": {"rows": 4, "columns": [column]}})
    assert "<script" not in page
    assert "&amp;lt;" not in page
    assert "&lt;script&gt;" in page


def test_the_endpoint_starts_without_templates() -> None:
    """Its page is made with the standard library: importing Jinja2 would slow a cold start."""
    code = "import sys; import noria.serving.form_page; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
