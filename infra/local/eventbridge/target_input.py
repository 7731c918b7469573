"""What a target of a rule receives of an event."""

import json
import re
from collections.abc import Mapping
from typing import Any


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> str:
    """Build the JSON text that a target receives: Input, InputPath, InputTransformer or all."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule)
    return json.dumps(event)


_MISSING = object()


def _at(event: Any, path: str) -> Any:
    """Read a JSON path of EventBridge's subset: `$`, names, quoted names, indices."""
    value = event
    for quoted, index, name in re.findall(r"\['([^']+)'\]|\[(\d+)\]|\.([^.\[]+)", path[1:]):
        try:
            value = value[int(index)] if index else value[quoted or name]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> str:
    paths = transformer.get("InputPathsMap", {})
    values = {name: _at(event, path) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event": event,
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
    }
    text = _fill(transformer["InputTemplate"], values)
    json.loads(text)  # a template that does not make JSON fails the delivery, as on AWS
    return text


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Replace `<name>`: inside quotes by bare text, outside by a JSON value."""
    out, position, quoted = [], 0, False
    pattern = re.compile(r'\\.|"|<([\w.-]+)>')
    for match in pattern.finditer(template):
        out.append(template[position : match.start()])
        position = match.end()
        name = match.group(1)
        if match.group() == '"':
            quoted = not quoted
        if name is None or name not in values:
            out.append(match.group())
            continue
        out.append(_inside(values[name]) if quoted else _outside(values[name]))
    return "".join([*out, template[position:]])


def _inside(value: Any) -> str:
    if value is _MISSING:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _outside(value: Any) -> str:
    return "null" if value is _MISSING else json.dumps(value)
