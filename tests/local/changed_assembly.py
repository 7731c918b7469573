"""The sample's assembly with a change in its template, as another `cdk synth` would make it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Template = dict[str, Any]
Edit = Callable[[Template], None]


def changed_assembly(assembly: Path, target: Path, edit: Edit) -> Path:
    """Copy an assembly and edit the sample's template."""
    shutil.copytree(assembly, target, ignore=shutil.ignore_patterns("changed"))
    file = target / "sample.template.json"
    template = json.loads(file.read_text())
    edit(template)
    file.write_text(json.dumps(template))
    return target


def resource(template: Template, kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """The one resource of a type whose logical id begins with a name."""
    ((logical_id, found),) = (
        (key, one)
        for key, one in template["Resources"].items()
        if one["Type"] == kind and key.startswith(name)
    )
    return logical_id, found


def renamed_version(template: Template, mark: str) -> None:
    """Give the endpoint's version another logical id, as the CDK does for another function."""
    logical_id, _ = resource(template, "AWS::Lambda::Version", "Endpoint")
    text = json.dumps(template["Resources"]).replace(logical_id, f"EndpointVersion{mark}")
    template["Resources"] = json.loads(text)
