"""What is generated of the guides is current: `make docs` would write the same."""

import re
from itertools import pairwise
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

import noria.contracts
from infra.docs import contract_guide
from infra.docs.machine import arrows_of, states_of
from infra.docs.machine_layout import HAPPY
from infra.docs.machine_picture import draw
from infra.docs.palettes import PALETTES
from noria.contracts import Problem
from tests.infra.documents import GUIDES
from tests.infra.template import Template

EXAMPLES: dict[str, dict[str, Any]] = yaml.safe_load(contract_guide.EXAMPLES.read_text())
SECTIONS = {name for _, name in contract_guide.SECTIONS}


def test_the_contracts_guide_is_current() -> None:
    told = (GUIDES / "contract.md").read_text(encoding="utf-8")
    assert told == contract_guide.render(), "run `make docs`"


@pytest.mark.parametrize("version", PALETTES)
def test_the_picture_is_current(version: str, penguins: Template) -> None:
    told = (GUIDES / "images" / f"machine-{version}.svg").read_text(encoding="utf-8")
    assert told == draw(states_of(penguins.body), PALETTES[version]), "run `make docs`"


def test_a_marked_picture_is_the_same_with_a_part_for_each_state_and_way(
    penguins: Template,
) -> None:
    states = states_of(penguins.body)
    marked = draw(states, PALETTES["light"], marked=True)
    assert re.sub(r"</?g\b[^>]*>", "", marked) == draw(states, PALETTES["light"])
    parts = set(re.findall(r'data-part="([^"]+)"', marked))
    assert {*states, "live use", "Admit&gt;AdmittedToRun"} <= parts


def test_the_picture_shows_every_state_and_the_happy_path(penguins: Template) -> None:
    states = states_of(penguins.body)
    drawn = draw(states, PALETTES["light"])
    assert len(states) > 35
    assert [name for name in states if f">{name}<" not in drawn and f">{name}?<" not in drawn] == []
    ways = {(arrow.source, arrow.target) for arrow in arrows_of(states)}
    assert [step for step in pairwise(HAPPY) if step not in ways] == []


def test_a_state_without_a_place_is_an_error(penguins: Template) -> None:
    states = states_of(penguins.body) | {"Unheard": {"Type": "Task", "End": True}}
    with pytest.raises(KeyError, match="Unheard"):
        draw(states, PALETTES["light"])


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_every_field_is_described_and_has_an_example_of_its_own(section: str) -> None:
    model = _model(section)
    own = {field.alias or name: field for name, field in model.model_fields.items()}
    examples = EXAMPLES[section]
    assert examples.keys() >= {name for name in own if name not in _shared(section)}
    assert examples.keys() <= own.keys()
    for name, example in examples.items():
        field = own[name]
        assert field.description, name
        found = TypeAdapter(Annotated[field.annotation, name, *field.metadata]).validate_python(
            example
        )
        assert field.is_required() or found != field.get_default(call_default_factory=True), name


def test_every_field_is_defined_once() -> None:
    told = (GUIDES / "contract.md").read_text(encoding="utf-8")
    lines = [line for line in told.splitlines() if line.startswith("**`")]
    fields = sum(len(EXAMPLES[name]) for name in SECTIONS)
    assert len(lines) == fields
    assert len({line for line in lines if "sources[]" not in line}) == len(
        [line for line in lines if "sources[]" not in line]
    )


def _model(section: str) -> type[BaseModel]:
    from noria.contracts import features, lifecycle, model_search, objective, quality, sources

    modules = (noria.contracts, features, lifecycle, model_search, objective, quality, sources)
    for module in modules:
        if hasattr(module, section):
            found: type[BaseModel] = getattr(module, section)
            return found
    raise AssertionError(section)


def _shared(section: str) -> set[str]:
    """What is told with the first kind of source alone."""
    if section not in contract_guide.SOURCES[1:]:
        return set()
    return set(noria.contracts.S3Source.model_fields) - {"kind"}


def test_the_guide_starts_at_the_contract() -> None:
    assert contract_guide.SECTIONS[0] == ("", Problem.__name__)
