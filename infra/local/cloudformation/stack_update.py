"""An update of a stack's resources as CloudFormation makes it, and takes it back where one fails.

Only what differs from the template before is sent, with the values that references have come to
mean. After a failure what was changed gets the template's previous values again, whatever others
have set since; what was added goes, but for what is to be retained.
"""

import copy
import graphlib
import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from infra.local.errors import DeploymentError

FAILURES = (
    AttributeError, ClientError, DeploymentError, HTTPException, KeyError, RuntimeError,
    ServiceException, TypeError, ValueError,
)  # fmt: skip


def update(resources: Any, template: dict[str, Any], parameters: Any = None) -> None:
    """Add and modify in order of dependency, then remove; takes the place of moto's own way.

    moto removes first and adds before it modifies, so that a Lambda version would be published
    before its function has changed. Raises DeploymentError once everything is as it was.
    """
    change = _Change(resources, resources._resource_json_map, template["Resources"])
    before = resources._template
    _take(resources, template)
    try:
        change.make()
    except FAILURES as error:
        _take(resources, before)
        change.undo()
        raise DeploymentError(
            f"{change.at} could not be updated ({error}); the stack has the values of its template "
            "before again"
        ) from error
    change.remove()


def _take(resources: Any, template: dict[str, Any]) -> None:
    resources._template, resources._resource_json_map = template, template["Resources"]
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()


@dataclass
class _Change:
    """From one set of resources to another, as far as it has come."""

    resources: Any
    before: dict[str, Any]
    after: dict[str, Any]
    at: str = ""
    added: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)

    def make(self) -> None:
        """Add and modify."""
        for logical_id in _by_dependency(self.after):
            self.at = f"{self.after[logical_id]['Type']} {logical_id}"
            if logical_id not in self.before:
                self.added.append(logical_id)
                self.resources[logical_id]
            elif self._differs(logical_id):
                self.touched.append(logical_id)
                self._modify(logical_id, self.after[logical_id])

    def remove(self) -> None:
        """Delete what the template has no more, after what refers to it."""
        for logical_id in reversed(_by_dependency(self.before)):
            if logical_id not in self.after:
                self._delete(logical_id, self.before[logical_id])

    def undo(self) -> None:
        """Give what was touched its values of before, in their order, and delete what was added."""
        for logical_id in _by_dependency(self.before):
            if logical_id in self.touched:
                self._modify(logical_id, self.before[logical_id])
        for logical_id in reversed(self.added):
            self._delete(logical_id, self.after[logical_id])

    def _differs(self, logical_id: str) -> bool:
        """Whether the template changes a resource, or something that it refers to was replaced."""
        wanted = self.after[logical_id]
        return wanted != self.before[logical_id] or bool(_references(wanted) & self.replaced)

    def _modify(self, logical_id: str, wanted: dict[str, Any]) -> None:
        from moto.cloudformation import parsing

        known = self.resources._parsed_resources
        was = known.get(logical_id)
        updated = parsing.parse_and_update_resource(
            logical_id, copy.deepcopy(wanted), self.resources,
            self.resources._account_id, self.resources._region_name,
        )  # fmt: skip
        changed = known[logical_id] = was if updated is None else updated
        if _identity(changed) != _identity(was):
            self.replaced.add(logical_id)

    def _delete(self, logical_id: str, given: dict[str, Any]) -> None:
        gone = self.resources._parsed_resources.pop(logical_id, None)
        if gone is not None and given.get("DeletionPolicy") != "Retain":
            self.resources._delete_resource(gone, given)


def _identity(resource: Any) -> str:
    return str(getattr(resource, "physical_resource_id", ""))


def _by_dependency(resources: dict[str, Any]) -> list[str]:
    """List resources so that each comes after those it refers to."""
    graph = {name: _references(resource) & resources.keys() for name, resource in resources.items()}
    return list(graphlib.TopologicalSorter(graph).static_order())


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_references, value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        found.update(re.findall(r"\$\{([A-Za-z0-9]+)", text))
    depends = value.get("DependsOn", [])
    return found | ({depends} if isinstance(depends, str) else set(depends))
