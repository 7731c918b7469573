"""The form's fields: what a person can choose, and that what it shows is what is sent."""

from html.parser import HTMLParser

import pytest

from noria.core.model.signature import Field, Signature
from noria.serving.form_fields import form_fields, form_values, sent_as
from noria.serving.form_page import render

MANY = tuple(f"code {number}" for number in range(200))
HOSTILE = '"><script>alert(1)</script>'


class Controls(HTMLParser):
    """The controls of a form by name, with their attributes; options of a choice as a list."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.options: dict[str, list[str]] = {}
        self.labelled: set[str] = set()
        self.scripts = 0
        self._name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.scripts += tag == "script"
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("name"):
            self._name = str(given["name"])
            self.found[self._name] = {"tag": tag, **given}
        if tag == "option":
            self.options.setdefault(self._name, []).append(str(given.get("value")))


def signature(*fields: Field, **example: str | float | bool | None) -> Signature:
    return Signature(
        problem="flights", task="binary", target="late", classes=("no", "yes"), columns=fields,
        example=example, metric="roc_auc", recipe="basic", candidate="logistic",
    )  # fmt: skip


FIELDS = signature(
    Field(name="carrier", kind="category", values=("AA", "UA")),
    Field(name="code", kind="category", values=MANY),
    Field(name="holiday", kind="category", values=("False", "True"), data_type="boolean"),
    Field(name="hours", kind="number", minimum=0, maximum=24, unit="h"),
    Field(name="remark", kind="text"),
    Field(name="departure", kind="timestamp", zone="America/New_York"),
    Field(name="day", kind="timestamp", minimum=1_357_000_000 // 86_400 * 86_400),
    carrier="UA", holiday=True, departure="2013-01-31T17:00:00Z", day="2013-01-31T00:00:00Z",
)  # fmt: skip


def test_each_kind_has_its_control() -> None:
    controls = Controls(form_fields(FIELDS))
    kinds = {name: (one["tag"], one.get("type")) for name, one in controls.found.items()}
    assert kinds == {
        "carrier": ("select", None), "code": ("input", None), "holiday": ("select", None),
        "hours": ("input", None), "remark": ("textarea", None),
        "departure": ("input", "datetime-local"), "day": ("input", "date"),
    }  # fmt: skip
    assert controls.options["carrier"] == ["", "AA", "UA", ""]
    assert controls.options["holiday"] == ["", "true", "false", ""]
    assert controls.found["code"]["list"] == "options-1"
    assert controls.found["hours"]["inputmode"] == "decimal"
    assert {str(one["id"]) for one in controls.found.values()} == controls.labelled


def test_a_time_is_shown_in_the_columns_zone() -> None:
    """GIVEN a request without a zone, which is read in the column's THEN the form shows that."""
    shown = form_values(FIELDS, FIELDS.example)
    assert shown["departure"] == "2013-01-31T12:00:00"
    assert shown["day"] == "2013-01-31"
    assert (shown["holiday"], shown["hours"]) == ("true", "")


def test_what_a_form_sends_has_the_type_of_the_data() -> None:
    assert sent_as(FIELDS) == {
        "carrier": "text", "code": "text", "holiday": "boolean", "hours": "number",
        "remark": "text", "departure": "text", "day": "text",
    }  # fmt: skip


def test_a_value_beyond_the_choice_is_kept() -> None:
    given = signature(Field(name="carrier", kind="category", values=("AA",)), carrier="ZZ")
    page = form_fields(given)
    assert 'value="ZZ"' in page
    assert "data-another selected" in page


@pytest.mark.parametrize("auth", ["iam", "jwt"])
def test_names_and_values_cannot_become_markup(auth: str) -> None:
    given = signature(
        Field(name=HOSTILE, kind="category", values=(HOSTILE,)),
        Field(name="__proto__", kind="number"),
        **{HOSTILE: HOSTILE},
    )
    page = render(HOSTILE, given, auth)
    assert "<script>alert" not in page
    controls = Controls(page)
    assert set(controls.found) == {HOSTILE, "__proto__"}
    assert controls.scripts == 2  # the form's own: its setup and itself
