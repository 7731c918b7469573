"""CloudFormation resource types for moto: those it lacks, and those it creates only in part.

A type is one function that creates the resource through the service's own API, so that botocore
checks the template's property names and whatever else asks moto afterwards finds the resource.
"""

import io
import json
import zipfile
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
Update = Callable[[Clients, Made, Properties], None]
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
        if update:
            update(_aws, original_resource.made, dict(properties))
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


# -- S3 -----------------------------------------------------------------------------------------


def _set_up_bucket(aws: Clients, made: Made, p: Properties) -> None:
    s3 = aws("s3")
    if "VersioningConfiguration" in p:
        s3.put_bucket_versioning(
            Bucket=made.ref, VersioningConfiguration=p["VersioningConfiguration"]
        )
    if "Tags" in p:
        s3.put_bucket_tagging(Bucket=made.ref, Tagging={"TagSet": p["Tags"]})


@resource(
    "AWS::S3::Bucket", name="BucketName", update=_set_up_bucket,
    delete=lambda aws, made, _: _empty_and_delete(aws("s3"), made.ref),
)  # fmt: skip
def bucket(aws: Clients, name: str, p: Properties) -> Made:
    """Create a bucket with its versioning, which moto's own type leaves out."""
    s3 = aws("s3")
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": region}
    }  # fmt: skip
    s3.create_bucket(Bucket=name, **where)
    made = Made(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        },
    )
    _set_up_bucket(aws, made, p)
    return made


def _empty_and_delete(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for item in listed:
            s3.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
    s3.delete_bucket(Bucket=name)


@resource("AWS::S3::BucketPolicy")
def bucket_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Put a bucket's policy, without the statements that refuse plain HTTP.

    moto serves plain HTTP and answers 403 to every call under such a policy. That the template
    has it is asserted by the template tests.
    """
    policy = p["PolicyDocument"]
    kept = [statement for statement in policy["Statement"] if not _about_tls(statement)]
    if kept:
        aws("s3").put_bucket_policy(
            Bucket=p["Bucket"], Policy=json.dumps({**policy, "Statement": kept})
        )
    return Made(name)


def _about_tls(statement: Properties) -> bool:
    condition = json.dumps(statement.get("Condition"))
    return "aws:SecureTransport" in condition or "s3:TlsVersion" in condition


# -- Glue ---------------------------------------------------------------------------------------


def _delete_database(aws: Clients, made: Made, _: Properties) -> None:
    aws("glue").delete_database(Name=made.ref)


@resource("AWS::Glue::Database", delete=_delete_database)
def glue_database(aws: Clients, name: str, p: Properties) -> Made:
    """Create a catalogue database."""
    given = {"Name": name.lower(), **p["DatabaseInput"]}
    aws("glue").create_database(DatabaseInput=given)
    return Made(given["Name"])


def _update_table(aws: Clients, _: Made, p: Properties) -> None:
    aws("glue").update_table(DatabaseName=p["DatabaseName"], TableInput=p["TableInput"])


def _delete_table(aws: Clients, made: Made, p: Properties) -> None:
    aws("glue").delete_table(DatabaseName=p["DatabaseName"], Name=made.ref)


@resource("AWS::Glue::Table", update=_update_table, delete=_delete_table)
def glue_table(aws: Clients, name: str, p: Properties) -> Made:
    """Create a catalogue table."""
    given = {"Name": name.lower(), **p["TableInput"]}
    aws("glue").create_table(DatabaseName=p["DatabaseName"], TableInput=given)
    return Made(given["Name"])


# -- Lambda -------------------------------------------------------------------------------------

_FUNCTION = (
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Layers",
    "Architectures", "EphemeralStorage", "TracingConfig", "DeadLetterConfig", "SnapStart",
)  # fmt: skip
_CONFIGURATION = tuple(key for key in _FUNCTION if key != "Architectures")


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
    group = p.get("LoggingConfig", {}).get("LogGroup")
    if group:
        from moto.awslambda.models import lambda_backends

        client = aws("lambda")
        account = aws("sts").get_caller_identity()["Account"]
        backend = lambda_backends[account][client.meta.region_name]
        backend.get_function(name).logs_group_name = group


def _update_function(aws: Clients, made: Made, p: Properties) -> None:
    client = aws("lambda")
    given = {key: p[key] for key in _CONFIGURATION if key in p}
    client.update_function_configuration(
        FunctionName=made.ref, **{"Environment": {"Variables": {}}, "Layers": [], **given}
    )
    client.update_function_code(FunctionName=made.ref, **_code(p))
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


@resource(
    "AWS::Lambda::Alias",
    update=lambda aws, _, p: aws("lambda").update_alias(**_alias(p)) and None,
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


# -- Step Functions -----------------------------------------------------------------------------


def definition(p: Properties) -> str:
    """Give a machine's definition with its substitutions made."""
    text: str = p["DefinitionString"]
    for key, value in p.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{key}}}", str(value))
    return text


@resource(
    "AWS::StepFunctions::StateMachine", name="StateMachineName",
    update=lambda aws, made, p: aws("stepfunctions").update_state_machine(
        stateMachineArn=made.ref, definition=definition(p), roleArn=p["RoleArn"]
    ) and None,
    delete=lambda aws, made, _: aws("stepfunctions").delete_state_machine(
        stateMachineArn=made.ref
    ) and None,
)  # fmt: skip
def state_machine(aws: Clients, name: str, p: Properties) -> Made:
    """Create a state machine in the backend that executes it."""
    name = p.get("StateMachineName", name)[:80]
    made = aws("stepfunctions").create_state_machine(
        name=name, definition=definition(p), roleArn=p["RoleArn"],
        type=p.get("StateMachineType", "STANDARD"),
    )  # fmt: skip
    arn = made["stateMachineArn"]
    return Made(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": "INITIAL"})


# -- CloudWatch, SNS, SQS, Firehose -------------------------------------------------------------


def _put_alarm(aws: Clients, made: Made, p: Properties) -> None:
    aws("cloudwatch").put_metric_alarm(**{**p, "AlarmName": made.ref})


def _delete_alarm(aws: Clients, made: Made, _: Properties) -> None:
    aws("cloudwatch").delete_alarms(AlarmNames=[made.ref])


@resource("AWS::CloudWatch::Alarm", name="AlarmName", update=_put_alarm, delete=_delete_alarm)
def metric_alarm(aws: Clients, name: str, p: Properties) -> Made:
    """Create a metric alarm; `tick` evaluates it."""
    client = aws("cloudwatch")
    client.put_metric_alarm(**{**p, "AlarmName": name})
    described = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return Made(name, {"Arn": described["AlarmArn"]})


@resource(
    "AWS::SNS::Subscription",
    delete=lambda aws, made, _: aws("sns").unsubscribe(SubscriptionArn=made.ref) and None,
)
def subscription(aws: Clients, _: str, p: Properties) -> Made:
    """Subscribe an endpoint to a topic."""
    attributes = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in p.items()
        if key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    }
    made = aws("sns").subscribe(
        TopicArn=p["TopicArn"], Protocol=p["Protocol"], Endpoint=p.get("Endpoint", ""),
        Attributes=attributes, ReturnSubscriptionArn=True,
    )  # fmt: skip
    return Made(made["SubscriptionArn"])


@resource("AWS::SNS::TopicPolicy")
def topic_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Set the policy of topics; recorded, not enforced."""
    for arn in p["Topics"]:
        aws("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(p["PolicyDocument"])
        )
    return Made(name)


@resource("AWS::SQS::QueuePolicy")
def queue_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Set the policy of queues; recorded, not enforced."""
    for url in p["Queues"]:
        aws("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(p["PolicyDocument"])}
        )
    return Made(name, {"Id": name})


@resource(
    "AWS::KinesisFirehose::DeliveryStream", name="DeliveryStreamName",
    delete=lambda aws, made, _: aws("firehose").delete_delivery_stream(
        DeliveryStreamName=made.ref
    ) and None,
)  # fmt: skip
def delivery_stream(aws: Clients, name: str, p: Properties) -> Made:
    """Create a delivery stream to S3."""
    name = p.get("DeliveryStreamName", name)[:64]
    keys = (
        "DeliveryStreamType",
        "ExtendedS3DestinationConfiguration",
        "S3DestinationConfiguration",
    )
    given = {key: p[key] for key in keys if key in p}
    made = aws("firehose").create_delivery_stream(DeliveryStreamName=name, **given)
    return Made(name, {"Arn": made["DeliveryStreamARN"]})


# -- API Gateway --------------------------------------------------------------------------------


@resource(
    "AWS::ApiGatewayV2::Api",
    delete=lambda aws, made, _: aws("apigatewayv2").delete_api(ApiId=made.ref) and None,
)
def http_api(aws: Clients, name: str, p: Properties) -> Made:
    """Create an HTTP API; `serve_api` gives it a port."""
    keys = ("Name", "ProtocolType", "Description", "DisableExecuteApiEndpoint", "CorsConfiguration")
    given = {"Name": name, **{key: p[key] for key in keys if key in p}}
    made = aws("apigatewayv2").create_api(**given)
    return Made(made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]})


@resource("AWS::ApiGatewayV2::Stage")
def http_stage(aws: Clients, _: str, p: Properties) -> Made:
    """Create a stage."""
    keys = (
        "ApiId", "StageName", "AutoDeploy", "Description", "DefaultRouteSettings",
        "AccessLogSettings", "StageVariables",
    )  # fmt: skip
    aws("apigatewayv2").create_stage(**{key: p[key] for key in keys if key in p})
    return Made(p["StageName"])


def _api_part(kind: str, operation: str, identifier: str, *keys: str) -> None:
    def create(aws: Clients, _: str, p: Properties) -> Made:
        given = {key: p[key] for key in ("ApiId", *keys) if key in p}
        made = getattr(aws("apigatewayv2"), operation)(**given)
        return Made(made[identifier], {identifier: made[identifier]})

    def delete(aws: Clients, made: Made, p: Properties) -> None:
        remove = getattr(aws("apigatewayv2"), operation.replace("create", "delete"))
        remove(ApiId=p["ApiId"], **{identifier: made.ref})

    resource(kind, delete=delete)(create)


_api_part(
    "AWS::ApiGatewayV2::Integration", "create_integration", "IntegrationId",
    "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion",
    "TimeoutInMillis", "Description", "ConnectionType", "CredentialsArn",
)  # fmt: skip
_api_part(
    "AWS::ApiGatewayV2::Route", "create_route", "RouteId",
    "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes",
    "ApiKeyRequired", "OperationName",
)  # fmt: skip
_api_part(
    "AWS::ApiGatewayV2::Authorizer", "create_authorizer", "AuthorizerId",
    "AuthorizerType", "Name", "IdentitySource", "JwtConfiguration",
)  # fmt: skip


# -- others -------------------------------------------------------------------------------------


def _delete_schedule(aws: Clients, made: Made, p: Properties) -> None:
    aws("scheduler").delete_schedule(Name=made.ref, GroupName=p.get("GroupName", "default"))


@resource("AWS::Scheduler::Schedule", name="Name", delete=_delete_schedule)
def schedule(aws: Clients, name: str, p: Properties) -> Made:
    """Create a schedule; `tick` fires it."""
    name = p.get("Name", name)[:64]
    arn = aws("scheduler").create_schedule(**{**p, "Name": name})["ScheduleArn"]
    return Made(name, {"Arn": arn})


@resource("AWS::CDK::Metadata")
def cdk_metadata(_: Clients, name: str, __: Properties) -> Made:
    """Ignore what the CDK tells its makers about the constructs used."""
    return Made(name)
