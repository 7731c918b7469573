"""How a source wrote the values of a column, so that requests may write theirs alike."""

from functools import cached_property

from pydantic import BaseModel, ConfigDict

from noria.common.categories import tidy, without_case
from noria.common.missing_marks import Mark, MissingMarks


class Notation(BaseModel):
    """What training read from a column, and how.

    `boolean` says that it holds truth values, `truths` which texts stood for them. Texts are
    numbers by the decimal mark `decimal`, times by the strptime or epoch `formats`, and measured in
    `units` (factor and offset to the column's own). `missing` lists values that mean a missing one,
    beside the `usual` marks of it but for those that are `kept` as values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    boolean: bool = False
    truths: dict[str, bool] = {}
    decimal: str | None = None
    units: dict[str, tuple[float, float]] = {}
    formats: tuple[str, ...] = ()
    missing: tuple[Mark, ...] = ()
    usual: bool = True
    kept: tuple[str, ...] = ()

    def truth(self, text: str) -> bool | None:
        """What a text says in a column of truth values, None where it is none of them."""
        return self._truths.get(without_case(tidy(text)))

    def is_missing(self, value: Mark) -> bool:
        """Whether training took a value for a missing one; an empty text always is."""
        if isinstance(value, str):
            return self._marks.mean(tidy(value))
        return value in self.missing_numbers

    @cached_property
    def missing_numbers(self) -> frozenset[float]:
        """The numbers among the marks."""
        return frozenset(float(mark) for mark in self.missing if not isinstance(mark, str))

    @cached_property
    def _marks(self) -> MissingMarks:
        return MissingMarks(self.missing, self.usual, frozenset(self.kept))

    @cached_property
    def _truths(self) -> dict[str, bool]:
        return {"true": True, "false": False, "1": True, "0": False, **self.truths}
