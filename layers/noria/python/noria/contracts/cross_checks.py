"""Checks of fields that must fit together: each says which fields it reads.

A check of a section is a method, decorated with `reads`, that yields what contradicts what. So all
mistakes are reported at once: a check whose fields are valid runs although others are not.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

FieldErrors = Iterator[tuple[str, str]]  # the field, "" for the section itself, and a sentence


class Disagreement(NamedTuple):
    """What does not fit together: a field of the section, "" for itself, and a sentence."""

    field: str
    message: str


class DisagreementError(ValueError):
    """Fields of one section that contradict each other."""

    def __init__(self, found: list[Disagreement]) -> None:
        super().__init__("; ".join(one.message for one in found))
        self.found = found


@dataclass(frozen=True)
class Check:
    """A method of a section, and the fields that it reads, dotted and as the contract has them."""

    run: Callable[[Any], Iterable[tuple[str, str]]]
    fields: tuple[str, ...]

    def concerns(self, doubtful: Collection[str]) -> bool:
        """Tell whether a field that it reads, a part of it or what it is part of, is in doubt."""
        return any(_overlap(field, other) for field in self.fields for other in doubtful)


def reads(*fields: str) -> Callable[[Callable[[Any], FieldErrors]], Callable[[Any], FieldErrors]]:
    """Make a method a check; entries of lists share one name: `sources.join`."""

    def mark(method: Callable[[Any], FieldErrors]) -> Callable[[Any], FieldErrors]:
        method.check = Check(method, fields)  # type: ignore[attr-defined]
        return method

    return mark


def checks_of(section: type) -> list[Check]:
    """The checks of a section's class, those of what it inherits first."""
    members = (member for one in reversed(section.__mro__) for member in vars(one).values())
    return [found for member in members if (found := getattr(member, "check", None)) is not None
            and isinstance(found, Check)]  # fmt: skip


def _overlap(field: str, other: str) -> bool:
    return f"{field}.".startswith(f"{other}.") or f"{other}.".startswith(f"{field}.")
