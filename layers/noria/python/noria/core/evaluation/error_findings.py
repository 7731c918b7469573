"""What evaluation found that a model leaves unexplained, in a form that engineering can act on."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from noria.common.messages import counted

Aspect = Literal[
    "value", "range", "history", "hour", "weekday", "month", "span", "ratio", "product", "word"
]  # fmt: skip
#: The recipe whose features can tell what depends on this aspect of the columns.
RECIPE_OF: Mapping[Aspect, str] = {
    "value": "target_encoding",
    "range": "interactions",
    "history": "windows",
    "ratio": "interactions",
    "product": "interactions",
    "hour": "calendar",
    "weekday": "calendar",
    "month": "calendar",
    "span": "calendar",
    "word": "text",
}


class _Finding(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Weakness(_Finding):
    """A column, or two, on which the model's errors still depend.

    `share` is the part of the errors' variance that groups of this aspect explain (adjusted R²),
    `significance` its p value, corrected for all that was looked at. `where` is the group that
    contributes most of those with `evaluation.slice_rows` rows, with `actual` and `predicted` means
    of its `rows`; where there are many classes, its log loss beside that of all rows.
    """

    columns: tuple[str, ...]
    aspect: Aspect
    share: float
    significance: float
    where: str
    rows: int
    actual: float | None = None
    predicted: float | None = None
    loss: float | None = None
    overall_loss: float | None = None

    @property
    def recipe(self) -> str:
        """Name the recipe that can mend it."""
        return RECIPE_OF[self.aspect]

    @property
    def subject(self) -> str:
        """Say what of which columns the errors depend on."""
        if self.aspect in ("value", "history"):
            return self.columns[0]
        if self.aspect in ("ratio", "product"):
            return f" {'/' if self.aspect == 'ratio' else '*'} ".join(self.columns)
        if self.aspect == "span":
            return f"{self.columns[1]} - {self.columns[0]}"
        return f"{self.aspect} of {self.columns[0]}"

    @property
    def sentence(self) -> str:
        """Say it to people, with its numbers."""
        explained = f"{self.subject} still explains {self.share:.1%} of the errors' variance"
        if not self.where:
            return f"{explained}, in groups of few rows each"
        there = "most of it"
        if self.actual is not None:
            there = f"{self.actual:.4g} on average, predicted {self.predicted:.4g}"
        elif self.loss is not None:
            there = f"log loss {self.loss:.4g} against {self.overall_loss:.4g} of all rows"
        return f"{explained}: {self.where} has {there} ({counted(self.rows, 'row')})"


class Findings(_Finding):
    """The weaknesses, strongest first, and the raw columns that the model makes no use of."""

    weaknesses: tuple[Weakness, ...] = ()
    unused: tuple[str, ...] = ()

    def for_recipe(self, recipe: str) -> list[Weakness]:
        """List the weaknesses that a recipe can mend, strongest first."""
        return [one for one in self.weaknesses if one.recipe == recipe]
