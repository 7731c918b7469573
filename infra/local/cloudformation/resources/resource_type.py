"""How a CloudFormation resource type is added to moto: by a function that creates one resource.

A type is one function that creates the resource through the service's own API, so that botocore
checks the template's property names and whatever else asks moto afterwards finds the resource.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel

from infra.local.errors import DeploymentError

Properties = dict[str, Any]
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Made:
    """What `Ref` and `Fn::GetAtt` give for a resource."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Create = Callable[[Clients, str, Properties], Made]
Update = Callable[[Clients, Made, Properties, Properties], None]  # before and after
Delete = Callable[[Clients, Made, Properties], None]

TYPES: dict[str, type[CloudFormationModel]] = {}
_clients: Clients | None = None


def connect(clients: Clients | None) -> None:
    """Say which clients create the resources."""
    global _clients
    _clients = clients


def _aws(service: str) -> Any:
    if _clients is None:
        raise DeploymentError("no local cloud is running")
    return _clients(service)


def resource(
    kind: str, *, name: str = "", update: Update | None = None, delete: Delete | None = None
) -> Callable[[Create], Create]:
    """Register a function as the CloudFormation type `kind`, named by its property `name`."""

    def register(create: Create) -> Create:
        TYPES[kind] = type(
            kind.replace("::", ""),
            (CloudFormationModel,),
            {
                "__module__": __name__,
                "__init__": _init,
                "cloudformation_type": staticmethod(lambda: kind),
                "cloudformation_name_type": staticmethod(lambda: name),
                "has_cfn_attr": classmethod(lambda _cls, _attribute: True),
                "get_cfn_attribute": _attribute,
                "is_created": lambda _self: True,
                "create_from_cloudformation_json": classmethod(_creator(create)),
                "update_from_cloudformation_json": classmethod(_updater(create, update, delete)),
                "delete": _deleter(delete),
            },
        )
        return create

    return register


def _init(self: Any, made: Made, properties: Properties) -> None:
    self.made, self.properties, self.physical_resource_id = made, properties, made.ref


def _attribute(self: Any, attribute: str) -> str:
    if attribute not in self.made.attributes:
        raise UnformattedGetAttTemplateException
    return str(self.made.attributes[attribute])


def _creator(create: Create) -> Any:
    def make(cls: Any, resource_name: str, cloudformation_json: Any, *_: Any, **__: Any) -> Any:
        properties = cloudformation_json.get("Properties", {})
        return cls(create(_aws, resource_name, dict(properties)), properties)

    return make


def _updater(create: Create, update: Update | None, delete: Delete | None) -> Any:
    def change(
        cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any,
        *_: Any, **__: Any,
    ) -> Any:  # fmt: skip
        properties = cloudformation_json.get("Properties", {})
        if properties == original_resource.properties:
            return original_resource  # what else a template says of a resource is not sent to it
        if update:
            before, original_resource.properties = original_resource.properties, properties
            # A change that fails half way is undone from what it was meant to become.
            update(_aws, original_resource.made, before, dict(properties))
            return cls(original_resource.made, properties)
        if delete:
            delete(_aws, original_resource.made, original_resource.properties)
        return cls(create(_aws, new_resource_name, dict(properties)), properties)

    return change


def _deleter(delete: Delete | None) -> Any:
    def remove(self: Any, *_: Any) -> None:
        if delete:
            delete(_aws, self.made, self.properties)

    return remove
