"""Reading a synthesized cloud assembly, and refusing what would not run here as it does on AWS."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.errors import LocalCloudError, UnsupportedTemplateError

# Assets above this size are dependency layers: zipping hundreds of megabytes takes minutes and
# nothing reads the result, for workers mount the assembly's directory. A note that names the
# directory goes into the bucket in place of the zip file, so that the object and its hash exist.
ZIPPED_LIMIT = 8 * 1024 * 1024  # bytes

INTRINSICS = {
    "Fn::Base64", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::ImportValue",
    "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
    "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or",
}  # fmt: skip
EVENT_TARGETS = {"events", "lambda", "logs", "sns", "sqs", "states", "firehose"}


@dataclass(frozen=True)
class Asset:
    """One file asset: where it is and where the template looks for it."""

    source: Path
    packaging: str
    bucket: str
    key: str

    def content(self) -> bytes:
        """Give the bytes for the bucket: the file, the zipped directory, or a note for a layer."""
        if self.packaging == "file":
            return self.source.read_bytes()
        files = [path for path in sorted(self.source.rglob("*")) if path.is_file()]
        if sum(path.stat().st_size for path in files) > ZIPPED_LIMIT:
            return json.dumps({"mounted_from": self.source.name}).encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                entry = zipfile.ZipInfo(str(path.relative_to(self.source)))  # no times: same bytes
                archive.writestr(entry, path.read_bytes())
        return packed.getvalue()


class Assembly:
    """One stack of a `cdk.out` directory."""

    def __init__(self, directory: Path, stack_name: str, account: str, region: str) -> None:
        self.directory = directory.resolve()
        self._account, self._region = account, region
        self._artifacts = self._read("manifest.json")["artifacts"]
        self._properties = self._find(stack_name)
        self.stack_name = stack_name

    def _read(self, name: str) -> Any:
        path = self.directory / name
        if not path.is_file():
            raise LocalCloudError(f"{path} does not exist: synthesize the app first (cdk synth)")
        return json.loads(path.read_text(encoding="utf-8"))

    def _find(self, stack_name: str) -> dict[str, Any]:
        stacks = {
            artifact["properties"].get("stackName", identifier): artifact["properties"]
            for identifier, artifact in self._artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        if stack_name not in stacks:
            known = ", ".join(sorted(stacks)) or "none"
            raise LocalCloudError(f"{self.directory} has no stack {stack_name!r}; it has: {known}")
        found: dict[str, Any] = stacks[stack_name]
        return found

    @cached_property
    def template(self) -> dict[str, Any]:
        """The stack's template."""
        template: dict[str, Any] = self._read(self._properties["templateFile"])
        return template

    def assets(self) -> Iterator[Asset]:
        """List the file assets that the stack needs."""
        name = self._properties["templateFile"].replace(".template.json", ".assets.json")
        for entry in self._read(name)["files"].values():
            source = self.directory / entry["source"]["path"]
            for destination in entry["destinations"].values():
                yield Asset(
                    source, entry["source"]["packaging"],
                    self._resolve(destination["bucketName"]), destination["objectKey"],
                )  # fmt: skip

    def _resolve(self, text: str) -> str:
        values = {"AccountId": self._account, "Region": self._region, "Partition": "aws"}
        return re.sub(r"\$\{AWS::(\w+)\}", lambda match: values[match.group(1)], text)


# -- what the local cloud would run differently, or not at all ----------------------------------


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
        yield from _machine_problems(logical_id, properties)
    if kind == "AWS::KinesisFirehose::DeliveryStream":
        yield from _stream_problems(logical_id, properties)


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


def _stream_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    for key, value in p.items():
        if key.endswith("DestinationConfiguration") and "S3" not in key:
            yield f"{key} of delivery stream {logical_id} is unknown to it"
        elif isinstance(value, dict):
            for feature in ("DataFormatConversionConfiguration", "DynamicPartitioningConfiguration",
                            "ProcessingConfiguration"):  # fmt: skip
                if value.get(feature, {}).get("Enabled"):
                    yield f"{feature} of delivery stream {logical_id} is not done by it"


# -- state machines -----------------------------------------------------------------------------

STATES = {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}
INTEGRATIONS = {
    "apigateway", "aws-sdk", "dynamodb", "events", "glue", "lambda", "sns", "sqs", "states",
}  # fmt: skip
STATE_INTRINSICS = {
    "Array", "ArrayContains", "ArrayGetItem", "ArrayLength", "ArrayPartition", "ArrayRange",
    "ArrayUnique", "Base64Decode", "Base64Encode", "Format", "Hash", "JsonMerge", "JsonToString",
    "MathAdd", "MathRandom", "StringSplit", "StringToJson", "UUID",
}  # fmt: skip
STATE_ERRORS = {
    "ALL", "BranchFailed", "DataLimitExceeded", "ExceedToleratedFailureThreshold",
    "HeartbeatTimeout", "IntrinsicFailure", "ItemReaderFailed", "NoChoiceMatched",
    "ParameterPathFailure", "Permissions", "ResultPathMatchFailure", "ResultWriterFailed",
    "Runtime", "TaskFailed", "Timeout", "QueryEvaluationError",
}  # fmt: skip


def render(value: Any) -> str:
    """Give a definition as text before deployment: what is only known later becomes an ARN."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(render(part) for part in parts)
    if value == {"Ref": "AWS::Partition"}:
        return "aws"
    name = hashlib.sha256(json.dumps(value).encode()).hexdigest()[:8]
    return f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"


def _machine_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    if "DefinitionString" not in p:
        yield f"state machine {logical_id} has no DefinitionString (DefinitionBody.from_chainable)"
        return
    text = render(p["DefinitionString"])
    for key in p.get("DefinitionSubstitutions", {}):
        text = text.replace(f"${{{key}}}", render({"Ref": key}))
    try:
        definition = json.loads(text)
    except ValueError as error:
        yield f"the definition of state machine {logical_id} is no JSON: {error}"
        return
    yield from (f"{problem} in state machine {logical_id}" for problem in _states(definition))
    yield from _grammar_problems(logical_id, text)


def _states(program: dict[str, Any]) -> Iterator[str]:
    if program.get("QueryLanguage", "JSONPath") != "JSONPath":
        yield f"query language {program['QueryLanguage']}"
    for name, state in program.get("States", {}).items():
        yield from _state(name, state)


def _state(name: str, state: dict[str, Any]) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in STATES:
        yield f"type {kind} of state {name}"
    if state.get("QueryLanguage", "JSONPath") != "JSONPath":
        yield f"query language {state['QueryLanguage']} of state {name}"
    integration = re.match(r"arn:[^:]+:states:::([\w-]+)", str(state.get("Resource", "")))
    if integration and integration.group(1) not in INTEGRATIONS:
        yield f"integration {integration.group(1)} of state {name}"
    own = {k: v for k, v in state.items() if k not in ("Branches", "ItemProcessor", "Iterator")}
    for used in re.findall(r"States\.([A-Za-z0-9]+)", json.dumps(own)):
        if used not in STATE_INTRINSICS | STATE_ERRORS:
            yield f"intrinsic function States.{used} of state {name}"
    inner = [*state.get("Branches", []), state.get("ItemProcessor"), state.get("Iterator")]
    for program in inner:
        yield from _states(program or {})


def _grammar_problems(logical_id: str, text: str) -> Iterator[str]:
    from moto.stepfunctions.parser.asl.parse.asl_parser import (
        AmazonStateLanguageParser,
        ASLParserException,
    )

    try:
        AmazonStateLanguageParser.parse(text)
    except (ASLParserException, ValueError, TypeError, RuntimeError) as error:
        yield f"the definition of state machine {logical_id} does not parse: {error}"
