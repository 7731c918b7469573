"""Functions, layers, versions and aliases."""

import io
import zipfile
from typing import Any

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource

_FUNCTION = (
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Layers",
    "Architectures", "EphemeralStorage", "TracingConfig", "DeadLetterConfig", "SnapStart",
)  # fmt: skip
_CONFIGURATION = tuple(key for key in _FUNCTION if key != "Architectures")
_LEFT_OUT: Properties = {"Environment": {"Variables": {}}, "Layers": [], "Description": ""}


def _code(p: Properties) -> Properties:
    code: Properties = p["Code"]
    if "ZipFile" not in code:
        return code
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code["ZipFile"])
    return {"ZipFile": packed.getvalue()}


def _configure_function(aws: Clients, name: str, p: Properties) -> None:
    reserved = p.get("ReservedConcurrentExecutions")
    if reserved is not None:
        aws("lambda").put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(reserved)
        )
    given = dict(p.get("LoggingConfig", {}))
    if given:
        from moto.awslambda.models import lambda_backends

        client = aws("lambda")
        account = aws("sts").get_caller_identity()["Account"]
        backend = lambda_backends[account][client.meta.region_name]
        function: Any = backend.get_function(name)
        function.logs_group_name = given.pop("LogGroup", function.logs_group_name)
        function.logging_config = given  # how it logs, which moto does not keep


def _update_function(aws: Clients, made: Made, before: Properties, p: Properties) -> None:
    """Send what the template changes and no more: what others have set since stays as it is."""
    client = aws("lambda")
    changed = {key for key in {*before, *p} if before.get(key) != p.get(key)}
    wanted = _LEFT_OUT | p
    given = {key: wanted[key] for key in _CONFIGURATION if key in changed and key in wanted}
    if given:
        client.update_function_configuration(FunctionName=made.ref, **given)
    if "Code" in changed:
        client.update_function_code(FunctionName=made.ref, **_code(p))
    if changed & {"LoggingConfig", "ReservedConcurrentExecutions"}:
        _configure_function(aws, made.ref, p)


def _delete_function(aws: Clients, made: Made, _: Properties) -> None:
    aws("lambda").delete_function(FunctionName=made.ref)


@resource(
    "AWS::Lambda::Function", name="FunctionName", update=_update_function, delete=_delete_function
)
def function(aws: Clients, name: str, p: Properties) -> Made:
    """Create a function with its layers and log group, which moto's own type leaves out."""
    name = p.get("FunctionName", name)[:64]
    given = {key: p[key] for key in _FUNCTION if key in p}
    made = aws("lambda").create_function(FunctionName=name, Code=_code(p), **given)
    _configure_function(aws, name, p)
    return Made(name, {"Arn": made["FunctionArn"]})


@resource("AWS::Lambda::LayerVersion", name="LayerName")
def layer_version(aws: Clients, name: str, p: Properties) -> Made:
    """Publish a version of a layer."""
    keys = ("Content", "Description", "CompatibleRuntimes", "LicenseInfo")
    given = {key: p[key] for key in keys if key in p}
    made = aws("lambda").publish_layer_version(LayerName=p.get("LayerName", name), **given)
    return Made(made["LayerVersionArn"], {"LayerVersionArn": made["LayerVersionArn"]})


@resource("AWS::Lambda::Version")
def function_version(aws: Clients, _: str, p: Properties) -> Made:
    """Publish a version of a function."""
    given = {key: p[key] for key in ("FunctionName", "Description") if key in p}
    made = aws("lambda").publish_version(**given)
    arn = made["FunctionArn"]
    return Made(arn, {"Version": made["Version"], "FunctionArn": arn})


def _alias(p: Properties) -> Properties:
    weights = p.get("RoutingConfig", {}).get("AdditionalVersionWeights", [])
    return {
        **{k: p[k] for k in ("FunctionName", "FunctionVersion", "Name", "Description") if k in p},
        "RoutingConfig": {
            "AdditionalVersionWeights": {
                weight["FunctionVersion"]: weight["FunctionWeight"] for weight in weights
            }
        },
    }


def _update_alias(aws: Clients, _: Made, before: Properties, p: Properties) -> None:
    """Send what the template changes: shares that others have given stay where it has none."""
    old, given = _alias(before), _alias(p)
    named = {key: given[key] for key in ("FunctionName", "Name")}
    aws("lambda").update_alias(
        **named, **{key: value for key, value in given.items() if value != old.get(key)}
    )


@resource(
    "AWS::Lambda::Alias",
    update=_update_alias,
    delete=lambda aws, _, p: (
        aws("lambda").delete_alias(FunctionName=p["FunctionName"], Name=p["Name"]) and None
    ),
)
def alias(aws: Clients, _: str, p: Properties) -> Made:
    """Create an alias, with its routing weights."""
    arn = aws("lambda").create_alias(**_alias(p))["AliasArn"]
    return Made(arn, {"AliasArn": arn})


@resource("AWS::Lambda::Permission")
def permission(aws: Clients, name: str, p: Properties) -> Made:
    """Add a statement to a function's policy; recorded, not enforced."""
    function_name, _, qualifier = p["FunctionName"].split(":function:")[-1].partition(":")
    given: Properties = {
        key: p[key]
        for key in ("Action", "Principal", "SourceArn", "SourceAccount", "FunctionUrlAuthType")
        if key in p
    }
    statement = name[-100:]
    given |= {"Qualifier": qualifier} if qualifier else {}
    aws("lambda").add_permission(FunctionName=function_name, StatementId=statement, **given)
    return Made(statement, {"Id": statement})


@resource("AWS::Lambda::EventInvokeConfig")
def event_invoke_config(aws: Clients, name: str, p: Properties) -> Made:
    """Set how often an asynchronous event is tried and where its outcome goes."""
    given = {
        key: p[key]
        for key in ("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
        if key in p
    }
    aws("lambda").put_function_event_invoke_config(FunctionName=p["FunctionName"], **given)
    return Made(name)
