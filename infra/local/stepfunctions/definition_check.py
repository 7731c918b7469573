"""What the interpreter would run differently in a state machine's definition, or not at all."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

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


def machine_problems(logical_id: str, p: dict[str, Any]) -> Iterator[str]:
    """Name everything in a machine's properties that would not run as on AWS."""
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
