"""A synthesized template, asked by type and meaning and never by logical id."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A stack's template and where its assets are."""

    body: Json
    assets: dict[str, Path]

    @classmethod
    def read(cls, assembly: Path, stack: str) -> Self:
        """Read a stack of a cloud assembly."""
        body = json.loads((assembly / f"{stack}.template.json").read_text())
        files = json.loads((assembly / f"{stack}.assets.json").read_text())["files"]
        return cls(body, {key: Path(file["source"]["path"]) for key, file in files.items()})

    def resources(self, kind: str) -> dict[str, Json]:
        """Resources of a type, by logical id; there are some, or the test that asks fails."""
        found = {k: r for k, r in self.body["Resources"].items() if r["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found

    def has(self, kind: str) -> bool:
        """Whether there is a resource of a type."""
        return kind in {resource["Type"] for resource in self.body["Resources"].values()}

    def properties(self, kind: str) -> list[Json]:
        """Their properties alone."""
        return [resource["Properties"] for resource in self.resources(kind).values()]

    def functions(self) -> dict[str, Json]:
        """Function properties by the handler's module: ``admit``, ``endpoint``, ..."""
        found = self.properties("AWS::Lambda::Function")
        return {function["Handler"].split(".")[1]: function for function in found}

    def statements(self) -> Iterator[tuple[Json, Json]]:
        """Every statement of every role's policies, with the policy it is from."""
        for policy in self.properties("AWS::IAM::Policy"):
            yield from ((policy, statement) for statement in statements_of(policy))

    def may(self, function: str) -> dict[str, list[Any]]:
        """What a function's role allows: resources by action; there are some."""
        role = reference(self.functions()[function]["Role"])
        allowed: dict[str, list[Any]] = {}
        for policy, statement in self.statements():
            if role in [reference(r) for r in policy["Roles"]]:
                for action in as_list(statement["Action"]):
                    allowed.setdefault(action, []).extend(as_list(statement["Resource"]))
        assert allowed, f"the role of {function} allows nothing"
        return allowed

    def machine(self, first: str = "Admit") -> tuple[str, Json]:
        """The logical id and the properties of the state machine that begins with a state."""
        start = json.dumps({"StartAt": first})[1:-1].replace(" ", "")
        (found,) = (
            (name, machine["Properties"])
            for name, machine in self.resources("AWS::StepFunctions::StateMachine").items()
            if start in machine["Properties"]["DefinitionString"]["Fn::Join"][1][0]
        )
        return found

    def definition(self, first: str = "Admit") -> Json:
        """A state machine's definition, with ARNs written as ``<LogicalId>``."""
        _, machine = self.machine(first)
        parts = machine["DefinitionString"]["Fn::Join"][1]
        text = "".join(p if isinstance(p, str) else f"<{reference(p)}>" for p in parts)
        definition: Json = json.loads(text)
        return definition

    def states(self) -> Json:
        """The machine's states by name."""
        states: Json = self.definition()["States"]
        return states

    def handler_of(self, arn: str) -> str:
        """The handler's module of a ``<LogicalId>`` in the definition."""
        function = self.body["Resources"][arn.strip("<>")]["Properties"]
        return str(function["Handler"].split(".")[1])

    def asset_of(self, code: Json) -> Path:
        """Where the content of a function's or layer's code is on this machine."""
        return self.assets[str(code["S3Key"]).removesuffix(".zip")]


def reference(value: Any) -> str:
    """The logical id that a Ref or GetAtt names."""
    if isinstance(value, dict) and "Ref" in value:
        return str(value["Ref"])
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        return str(value["Fn::GetAtt"][0])
    return str(value)


def statements_of(policy: Json) -> list[Json]:
    """The statements of a policy; there are some."""
    statements: list[Json] = policy["PolicyDocument"]["Statement"]
    assert statements
    return statements


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one without its brackets."""
    return value if isinstance(value, list) else [value]
