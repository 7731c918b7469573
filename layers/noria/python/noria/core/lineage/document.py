"""Where a prediction or a model version comes from: one document, from what a stack recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Document = Mapping[str, Any]
Kind = Literal["prediction", "model", "features", "run", "clean", "raw", "contract", "code"]
State = Literal["unchecked", "present", "same", "changed", "replaced", "missing", "elsewhere"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERSION_7 = 7


class Item(BaseModel):
    """An object: `where` is a key of the stack's bucket or an address; `state` is what it is now.

    `version` is the S3 version that still has the bytes of an object that was replaced.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    where: str
    sha256: str | None = None
    etag: str | None = None
    rows: int | None = None
    collected_at: str | None = None
    state: State = "unchecked"
    version: str | None = None

    @property
    def is_address(self) -> bool:
        """Whether it is outside the bucket."""
        return "://" in self.where


class Step(BaseModel):
    """One link of the chain: what it is, what is known of it, its objects, what is wrong."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    facts: dict[str, Any] = {}
    objects: list[Item] = []
    problems: list[str] = []


class Lineage(BaseModel):
    """The chain, from what was asked about back to where it came from."""

    model_config = ConfigDict(frozen=True)

    stack: str
    asked: str
    verified: bool = False
    steps: list[Step]

    @property
    def problems(self) -> list[str]:
        """Everything that is missing or has changed, with its remedy."""
        return [problem for step in self.steps for problem in step.problems]

    def step(self, kind: Kind) -> Step | None:
        """The first step of a kind."""
        return next((step for step in self.steps if step.kind == kind), None)


@dataclass(frozen=True)
class Served:
    """A prediction as it was logged, None where it was not found, and its label."""

    id: str
    record: Document | None = None
    label: Document | None = None
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Records:
    """What a stack recorded of one model version and of the run that made it.

    Documents are as they are stored; None where one is gone. `stored` are the run's files in the
    feature store {table, key, rows, sha256, columns}. `deployed` is the contract and
    `deployed_code` the code version of the stack as it is now.
    """

    version: str
    run_id: str
    turn: int
    champion: str | None = None
    manifest: Document | None = None
    origin: Document | None = None
    signature: Document | None = None
    evaluation: Document | None = None
    promotion: Document | None = None
    plan: Document | None = None
    verdicts: Sequence[Document] = ()
    ending: Document | None = None
    collected: Document | None = None
    contract: Document | None = None
    deployed: Document | None = None
    deployed_code: str | None = None
    stored: Sequence[Document] = ()
    problems: Sequence[str] = ()


def served_at(prediction_id: str) -> datetime | None:
    """Read the time (UTC, to the millisecond) out of a UUID of version 7; None for other text.

    RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970.
    """
    try:
        parsed = UUID(prediction_id)
    except ValueError:
        return None
    if parsed.version != VERSION_7 or str(parsed) != prediction_id.lower():
        return None
    return EPOCH + timedelta(milliseconds=parsed.int >> 80)


def differences(made_by: Document, deployed: Document) -> list[str]:
    """Say field by field how the contract of a run differs from the deployed one."""
    then, now = _flat(made_by), _flat(deployed)
    return [
        f"{name}: {_shown(then, name)} in the run, {_shown(now, name)} deployed"
        for name in dict.fromkeys([*then, *now])
        if then.get(name, _Unset) != now.get(name, _Unset)
    ]


class _Unset:
    """The value of a field that a contract leaves to its default."""


def _shown(fields: Document, name: str) -> str:
    return repr(fields[name]) if name in fields else "the default"


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Name every field by its path; the entries of a list that have names, by those."""
    if isinstance(value, Mapping):
        parts = [_flat(item, f"{path}.{name}" if path else str(name))
                 for name, item in value.items()]  # fmt: skip
    elif isinstance(value, list) and all(isinstance(i, Mapping) and "name" in i for i in value):
        parts = [_flat({k: v for k, v in item.items() if k != "name"}, f"{path}[{item['name']}]")
                 for item in value]  # fmt: skip
    else:
        return {path: value}
    return {name: item for part in parts for name, item in part.items()}
