"""Refusing a template with anything in it that would not run here as it does on AWS."""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.local.cloudwatch.log_groups import HAS_FIELD
from infra.local.errors import UnsupportedTemplateError
from infra.local.firehose.patches import MESSAGES_ONLY, takes_messages
from infra.local.stepfunctions.definition_check import machine_problems

INTRINSICS = {
    "Fn::Base64", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::ImportValue",
    "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
    "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or",
}  # fmt: skip
EVENT_TARGETS = {"events", "lambda", "logs", "sns", "sqs", "states", "firehose"}


def check(template: dict[str, Any], known_types: set[str]) -> None:
    """Refuse a template with anything in it that would not run, naming every such thing."""
    problems = [
        problem
        for logical_id, resource in template["Resources"].items()
        for problem in _resource_problems(logical_id, resource, known_types)
    ]
    problems += [f"{name} in an output" for name in _unknown_intrinsics(template.get("Outputs"))]
    if problems:
        raise UnsupportedTemplateError(
            "the local cloud cannot run this template; nothing was created. "
            + "; ".join(problems)
            + ". Teach it in infra/local, or take these out of the stack."
        )


def _resource_problems(
    logical_id: str, resource: dict[str, Any], known_types: set[str]
) -> Iterator[str]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind not in known_types:
        yield f"resource type {kind} of {logical_id} is unknown to it"
        return
    for name in sorted(_unknown_intrinsics(properties)):
        yield f"intrinsic function {name} in {logical_id} ({kind}) is unknown to it"
    if kind == "AWS::CloudWatch::Alarm":
        yield from _alarm_problems(logical_id, properties)
    if kind == "AWS::Events::Rule":
        yield from _rule_problems(logical_id, properties)
    if kind == "AWS::StepFunctions::StateMachine":
        yield from machine_problems(logical_id, properties)
    if kind == "AWS::KinesisFirehose::DeliveryStream":
        yield from _stream_problems(logical_id, properties)
    if kind == "AWS::Logs::SubscriptionFilter":
        yield from _filter_problems(logical_id, properties)


def _unknown_intrinsics(value: Any) -> set[str]:
    if isinstance(value, dict):
        inner = [_unknown_intrinsics(item) for item in value.values()]
        return {key for key in value if key.startswith("Fn::")} - INTRINSICS | set().union(*inner)
    if isinstance(value, list):
        return set().union(*map(_unknown_intrinsics, value))
    return set()


STATISTICS = {"Average", "Maximum", "Minimum", "SampleCount", "Sum"}
COMPARISONS = {
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
    "LessThanOrEqualToThreshold",
}  # fmt: skip


def _alarm_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    for feature in ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile"):
        if feature in p:
            yield f"property {feature} of alarm {logical_id} is not evaluated by it"
    if p.get("ComparisonOperator") not in COMPARISONS:
        yield f"comparison {p.get('ComparisonOperator')} of alarm {logical_id} is unknown to it"
    statistic = p.get("Statistic") or p.get("ExtendedStatistic", "")
    if statistic not in STATISTICS and not re.fullmatch(r"p\d+(\.\d+)?", str(statistic)):
        yield f"statistic {statistic} of alarm {logical_id} is unknown to it"


def _rule_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    for target in p.get("Targets", []):
        literal = re.findall(r"arn:[^:]*:(\w+):", json.dumps(target["Arn"]))
        for service in literal:
            if service not in EVENT_TARGETS:
                yield f"target service {service} of rule {logical_id} is unknown to it"
        for feature in ("EcsParameters", "KinesisParameters", "BatchParameters", "HttpParameters"):
            if feature in target:
                yield f"{feature} of rule {logical_id} is unknown to it"


def _filter_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    pattern = p["FilterPattern"]
    if pattern and not HAS_FIELD.fullmatch(pattern):
        yield f"pattern {pattern!r} of subscription filter {logical_id} is unknown to it"


def _stream_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    for key, value in p.items():
        if key.endswith("DestinationConfiguration") and "S3" not in key:
            yield f"{key} of delivery stream {logical_id} is unknown to it"
        elif isinstance(value, dict):
            for feature in (
                "DataFormatConversionConfiguration",
                "DynamicPartitioningConfiguration",
            ):
                if value.get(feature, {}).get("Enabled"):
                    yield f"{feature} of delivery stream {logical_id} is not done by it"
            processing = value.get("ProcessingConfiguration", {})
            if processing.get("Enabled") and not takes_messages(value):
                yield (
                    f"ProcessingConfiguration of delivery stream {logical_id} is not done by it, "
                    f"but for {' and '.join(MESSAGES_ONLY)}"
                )
