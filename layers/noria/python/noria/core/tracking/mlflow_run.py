"""A run as MLflow keeps it: parameters, metrics and tags, within the limits of its REST API.

https://mlflow.org/docs/latest/rest-api.html: a request of `runs/log-batch` takes 1,000 entries, of
them 100 parameters and 100 tags, and names of 250 letters. How long values may be has grown over
the releases: these are what MLflow 2.0 takes.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

MOST_METRICS, MOST_PARAMETERS, MOST_TAGS = 800, 100, 100  # of a request, 1,000 together
LONGEST_NAME = 250  # letters
LONGEST_PARAMETER, LONGEST_TAG = 500, 5000  # bytes
CUT = "..."

DESCRIPTION = "mlflow.note.content"
PARENT = "mlflow.parentRunId"
SOURCE = {"mlflow.source.name": "noria", "mlflow.source.type": "JOB"}
RUN, TRIAL = "noria.run", "noria.trial"  # by these a run is found again

Values = Mapping[str, Any]


@dataclass(frozen=True)
class MlflowRun:
    """A run to be logged: what it is called, and all that is known of it.

    `metrics` are numbers, or series of them, which MLflow draws over their steps. `seconds` is how
    long it took. Whatever is None, empty or not finite is left out.
    """

    name: str
    tags: Values
    parameters: Values
    metrics: Values
    description: str = ""
    failed: bool = False
    seconds: float = 0.0
    found_by: Mapping[str, str] = field(default_factory=dict)

    def all_tags(self) -> list[dict[str, Any]]:
        """Its tags as the API takes them, those by which it is found again among them."""
        told = {**self.tags, **SOURCE, DESCRIPTION: self.description, **self.found_by}
        return _texts(told, LONGEST_TAG)

    def batches(self, timestamp: int) -> Iterator[dict[str, Any]]:
        """The bodies of `runs/log-batch`, without the run's id; `timestamp` in milliseconds."""
        told: dict[str, list[list[dict[str, Any]]]] = {
            "metrics": _chunks([*_numbers(self.metrics, timestamp)], MOST_METRICS),
            "params": _chunks(_texts(self.parameters, LONGEST_PARAMETER), MOST_PARAMETERS),
            "tags": _chunks(self.all_tags(), MOST_TAGS),
        }
        for parts in zip_longest(*told.values(), fillvalue=[]):
            yield dict(zip(told, parts, strict=True))


def text_of(value: Any) -> str:
    """A value as people read it: texts as they are, lists of texts a line each, else JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def is_told(value: Any) -> bool:
    """Whether there is anything to tell of a value."""
    return value is not None and value not in ("", [], (), {})


def is_number(value: Any) -> bool:
    """Whether a value is a number that MLflow can draw."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _texts(values: Values, longest: int) -> list[dict[str, Any]]:
    return [
        {"key": _name(name), "value": _cut(text_of(value), longest)}
        for name, value in values.items()
        if is_told(value)
    ]


def _numbers(values: Values, timestamp: int) -> Iterator[dict[str, Any]]:
    for name, value in values.items():
        series = value if isinstance(value, list | tuple) else [value]
        for step, one in enumerate(series):
            if is_number(one):
                yield {
                    "key": _name(name), "value": float(one), "timestamp": timestamp, "step": step
                }  # fmt: skip


def _name(text: str) -> str:
    """A name of the letters that MLflow allows; others become an underscore."""
    return re.sub(r"[^\w. /-]", "_", text, flags=re.ASCII)[:LONGEST_NAME]


def _cut(text: str, longest: int) -> str:
    """A text of so many bytes at most, whole letters only."""
    content = text.encode()
    if len(content) <= longest:
        return text
    return content[: longest - len(CUT)].decode(errors="ignore") + CUT


def _chunks(items: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
