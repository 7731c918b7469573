"""What every step of a batch opens: its event, the stack's bucket, and the plan."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from noria.aws.clients import client
from noria.aws.s3 import Store
from noria.common.batch_keys import BatchKeys
from noria.errors import BatchError
from noria.lifecycle.environment import Environment, StageEvent
from noria.lifecycle.stage_logging import note

Document = dict[str, Any]


@dataclass(frozen=True)
class BatchStep:
    """One step of one execution of the batch machine, or of a child of one of its maps."""

    event: StageEvent
    environment: Environment

    @cached_property
    def store(self) -> Store:
        """The stack's bucket."""
        return Store(client("s3"), self.environment.bucket)

    @property
    def of_item(self) -> bool:
        """Whether this is a step of a file or of a part."""
        return isinstance(self.event.item, dict)

    @property
    def execution(self) -> str:
        """The machine's execution; a map's child has a name of its own."""
        given = self.event.item if self.of_item else self.event.result("plan")
        return str(given.get("execution", self.event.execution))

    @cached_property
    def keys(self) -> BatchKeys:
        """Where the batch is."""
        given = self.event.item if self.of_item else self.event.result("plan")
        return BatchKeys(str(given["batch"]))

    @cached_property
    def plan(self) -> Document:
        """Which files by which model; BatchError where it is gone."""
        found = self.store.get_json(self.keys.plan, None)
        if found is None:
            raise BatchError(f"batch '{self.keys.batch}' has no plan any more: start it again")
        return dict(found)

    @property
    def number(self) -> int:
        """The file that this step is about."""
        return int(self.event.item["item"]["number"])

    @property
    def part(self) -> int:
        """The part of it."""
        return int(self.event.item["item"]["part"])

    def begin(self) -> None:
        """Say in the log what the step is about."""
        note(run=self.execution)
        if self.of_item:
            part = self.event.item["item"].get("part")
            note(item=f"file {self.number}" + ("" if part is None else f", part {part}"))

    def failed(self, error: Exception) -> None:
        """Leave the failure of a file or a part where the last step finds it."""
        if self.of_item:
            key = self.keys.failure(self.number, self.event.item["item"].get("part"))
            self.store.put_json(key, {"cause": str(error)})
