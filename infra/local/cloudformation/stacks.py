"""Stacks through moto's CloudFormation: creating, updating, and saying what went wrong."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from infra.local.cloudformation.resources import TYPES
from infra.local.cloudformation.stack_update import update as update_resources
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
            stack = existing[0]
            _update(backend, stack, text)
        else:
            stack = backend.create_stack(name, text, parameters={})
        outputs = [output for output in stack.output_map.values() if output]
        return {output.key: str(output.value) for output in outputs}


def _update(backend: Any, stack: Any, text: str) -> None:
    """Update a stack; one that cannot be is as it was before."""
    before = stack.template
    try:
        backend.update_stack(stack.name, text, None, [], None)
    except DeploymentError:
        stack.template, stack.status = before, "UPDATE_ROLLBACK_COMPLETE"
        stack._parse_template()
        raise


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
    parsing.parse_and_create_resource, parsing.ResourceMap.update = create, update_resources
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
