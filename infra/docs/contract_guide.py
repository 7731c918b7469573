"""The guide to the contract: every field with its type, default, meaning and an example."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.docs.schema_words import BELOW, default_of, type_of
from noria.contracts import Problem

EXAMPLES = Path(__file__).parent / "contract_examples.yaml"
SOURCES = ("S3Source", "HttpSource", "GoogleSheetSource", "DatabaseSource")
#: The sections in the order of the guide: where each stands in a contract, and its class.
SECTIONS = (
    ("", "Problem"), ("target", "Target"),
    *(("sources[]", name) for name in SOURCES),
    ("sources[].join", "Join"), ("sources[].filters[]", "Filter"),
    ("quality", "Quality"), ("quality.columns.COLUMN", "ColumnRule"),
    ("quality.columns.COLUMN.missing", "Fill"),
    ("analysis", "Analysis"), ("features", "Features"), ("features.windows[]", "Window"),
    ("objective", "Objective"), ("objective.costs", "Costs"), ("objective.slices[]", "Slice"),
    ("baseline", "Baseline"),
    ("exploration", "Exploration"), ("training", "Training"), ("evaluation", "Evaluation"),
    ("deployment", "Deployment"), ("deployment.canary", "Canary"), ("monitoring", "Monitoring"),
    ("retraining", "Retraining"), ("scaling", "Scaling"),
    ("mlflow", "MlflowTracking"),
)  # fmt: skip
HEAD = """# The contract, field by field

<!-- Written by `make docs` from the contract's JSON Schema. Do not edit. -->

A contract is one YAML file in `infra/problems/`. Six fields are required: `name`, `statement`,
`task`, `target`, `sources` and `objective`. Every other field has a default. Unknown fields are
refused, with the nearest known name. [flight_delays.yaml](../problems/flight_delays.yaml) uses much
of what there is.

```sh
.venv/bin/noria problem schema                     # this, as JSON Schema for an editor
.venv/bin/noria problem validate my_problem.yaml   # every mistake with its field and its remedy
```

- A **duration** is a number and a unit: `30s`, `10m`, `6h`, `90d` or `2w`.
- A **share** is a number from 0 to 1.
- An **expression** is text in a closed grammar: columns, numbers, `'strings'`, `+ - * / %`,
  comparisons, `in [...]`, `and`, `or`, `not`, and `minutes(x)`, `hours(x)`, `days(x)`. A column
  whose name is no plain word stands in double quotes: `"Order Date"`, `"2nd item"`, `"class"`; a
  quote in it is written twice. Where the whole text is the name of a column, it is that column.
- `[]` marks the entries of a list, and `COLUMN` the name of a column.
"""
QUOTED_ON = "'on':"  # PyYAML takes `on` for true; contracts do not
Json = dict[str, Any]


def render() -> str:
    """The guide, as Markdown."""
    schema = Problem.model_json_schema()
    sections = {**schema["$defs"], "Problem": schema}
    examples = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    lacking = sections.keys() - {name for _, name in SECTIONS}
    if lacking:
        raise ValueError(f"the guide has no place for {', '.join(sorted(lacking))}")
    parts = (_section(path, name, sections, examples[name]) for path, name in SECTIONS)
    return "\n".join([HEAD, *parts])


def _section(path: str, name: str, sections: Json, examples: Json) -> str:
    section = sections[name]
    properties = _own(name, sections)
    lines = [f"## {_heading(path, name)}", "", _sentence(section.get("description", "")), ""]
    required = section.get("required", ())
    for field, node in properties.items():
        where = f"{path}.{field}" if path else field
        lines += [*_field(where, field, node, field in required, examples[field]), ""]
    return "\n".join(lines)


def _own(name: str, sections: Json) -> Json:
    """A section's fields; what every kind of source has is told with the first kind."""
    properties: Json = sections[name]["properties"]
    if name not in SOURCES[1:]:
        return properties
    shared = sections[SOURCES[0]]["properties"].keys() - {"kind"}
    return {field: node for field, node in properties.items() if field not in shared}


def _heading(path: str, name: str) -> str:
    if not path:
        return "The contract"
    return f"{path} of kind {_kind(name)}" if name in SOURCES else path


def _kind(name: str) -> str:
    return {"S3Source": "s3", "HttpSource": "http", "GoogleSheetSource": "google_sheet",
            "DatabaseSource": "database"}[name]  # fmt: skip


def _field(where: str, field: str, node: Json, required: bool, example: Any) -> Iterator[str]:
    default = "required" if required else default_of(node)
    if default == BELOW:
        default = f"[{BELOW}](#{where.replace('.', '')})"
    meaning, _, why = node.get("description", "").partition("Convention:")
    yield f"**`{where}`** · {type_of(node)} · {default}  "
    yield f"{meaning.strip()}  "
    if why:
        yield f"*Why this default:* a convention:{why}  "
    yield f"*Example:* `{_written(field, example)}`"


def _written(field: str, example: Any) -> str:
    """An example as one line of YAML."""
    flow = yaml.safe_dump(
        example, default_flow_style=True, width=1000, allow_unicode=True, sort_keys=False
    )
    text = flow.removesuffix("...\n").strip()
    return f"{field}: {text.replace(QUOTED_ON, 'on:')}"


def _sentence(text: str) -> str:
    return " ".join(text.split())
