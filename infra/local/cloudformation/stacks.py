"""Stacks through moto's CloudFormation: creating, updating, and saying what went wrong."""

import copy
import graphlib
import json
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from infra.local.cloudformation.resources import TYPES
from infra.local.errors import DeploymentError

# moto's own models that create the whole of what templates here ask for.
FROM_MOTO = {
    "AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table", "AWS::Events::EventBus",
    "AWS::Events::Rule", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role",
    "AWS::IAM::User", "AWS::KMS::Alias", "AWS::KMS::Key", "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::LogGroup", "AWS::Logs::ResourcePolicy", "AWS::SNS::Topic", "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
}  # fmt: skip


def known_types() -> set[str]:
    """List the resource types that the local cloud creates."""
    return FROM_MOTO | set(TYPES)


def create_or_update(
    template: dict[str, Any], name: str, *, account: str, region: str
) -> dict[str, str]:
    """Create the stack, or update it in place; give its outputs."""
    from moto.cloudformation import parsing
    from moto.cloudformation.models import cloudformation_backends

    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()  # our types may have come after the first look
    backend = cloudformation_backends[account][region]
    existing = [stack for stack in backend.stacks.values() if stack.name == name]
    # moto itself adds what is not there, and would then see a difference at the next update.
    resources = {k: {"Properties": {}, **v} for k, v in template["Resources"].items()}
    text = json.dumps({**template, "Resources": resources})
    with _naming_failures(parsing), _refusing_warnings():
        if existing:
            backend.update_stack(name, text, None, [], None)
            stack = existing[0]
        else:
            stack = backend.create_stack(name, text, parameters={})
        outputs = [output for output in stack.output_map.values() if output]
        return {output.key: str(output.value) for output in outputs}


def _update(resources: Any, template: dict[str, Any], parameters: Any = None) -> None:
    """Add and modify in order of dependency, then remove, as CloudFormation does.

    moto removes first and adds before it modifies, so that a Lambda version would be published
    before its function has changed.
    """
    from moto.cloudformation import parsing

    difference = resources.build_resource_diff(template, parameters)
    before = resources._resource_json_map
    resources._template, resources._resource_json_map = template, template["Resources"]
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    where = (resources, resources._account_id, resources._region_name)
    for logical_id in _by_dependency(template["Resources"]):
        if logical_id in difference["Add"]:
            resources[logical_id]
        elif logical_id in difference["Modify"]:
            given = copy.deepcopy(template["Resources"][logical_id])
            changed = parsing.parse_and_update_resource(logical_id, given, *where)
            resources._parsed_resources[logical_id] = changed
    for logical_id in difference["Remove"]:
        gone = resources._parsed_resources.pop(logical_id, None)
        if gone is not None and before[logical_id].get("DeletionPolicy") != "Retain":
            resources._delete_resource(gone, before[logical_id])


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


@contextmanager
def _naming_failures(parsing: Any) -> Iterator[None]:
    """Say which resource failed: moto's own errors do not."""
    original = parsing.parse_and_create_resource

    def create(logical_id: str, resource_json: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(logical_id, resource_json, *args, **kwargs)
        except DeploymentError:
            raise
        except (
            ClientError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RuntimeError,
        ) as error:
            raise DeploymentError(
                f"{resource_json['Type']} {logical_id} could not be created: {error}"
            ) from error

    update = parsing.ResourceMap.update
    parsing.parse_and_create_resource, parsing.ResourceMap.update = create, _update
    try:
        yield
    finally:
        parsing.parse_and_create_resource, parsing.ResourceMap.update = original, update


@contextmanager
def _refusing_warnings() -> Iterator[None]:
    """Fail where moto only warns: an attribute it does not know would become an empty string."""
    collected: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            collected.append(record.getMessage())

    logger, collector = logging.getLogger("moto"), Collector(logging.WARNING)
    logger.addHandler(collector)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.removeHandler(collector)
    if collected:
        raise DeploymentError("; ".join(collected))
