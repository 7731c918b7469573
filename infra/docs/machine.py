"""What the synthesized template says of the machine: its states and the ways between them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST = "Admit"
MACHINE = "AWS::StepFunctions::StateMachine"
Json = dict[str, Any]


@dataclass(frozen=True)
class Arrow:
    """A transition; `value` is the verdict's word that takes it, "" for the way otherwise."""

    source: str
    target: str
    value: str = ""


def states_of(template: Json) -> Json:
    """The states of the machine that begins with Admit, by name."""
    for resource in template["Resources"].values():
        if resource["Type"] == MACHINE:
            parts = resource["Properties"]["DefinitionString"]["Fn::Join"][1]
            found: Json = json.loads("".join(p if isinstance(p, str) else "arn" for p in parts))
            if found["StartAt"] == FIRST:
                return dict(found["States"])
    raise ValueError(f"the template has no state machine that starts at {FIRST}")


def states_in(definition: str) -> Json:
    """The states of a machine as it is deployed, by name."""
    return dict(json.loads(definition)["States"])


def synthesized_states(contract: Path) -> Json:
    """The machine's states, from the template of a contract's stack."""
    from infra.app import synthesize
    from infra.settings import load_contract

    assembly = synthesize(None, [contract])
    name = load_contract(contract).name
    return states_of(json.loads((assembly / f"{name}.template.json").read_text()))


def arrows_of(states: Json) -> Iterator[Arrow]:
    """Every transition but those of failures, which all lead to RecordFailure."""
    for name, state in states.items():
        for choice in state.get("Choices", ()):
            yield Arrow(name, choice["Next"], _value(choice))
        for field in ("Next", "Default"):
            if field in state:
                yield Arrow(name, state[field])


def _value(choice: Json) -> str:
    """What a branch compares with; beside it a branch may ask whether there is anything at all."""
    compared = [*choice.get("And", ()), choice]
    return next(
        str(test[kind]) for test in compared for kind in ("StringEquals", "BooleanEquals")
        if kind in test
    )  # fmt: skip
