"""What a model's score was with fewer rows to learn from, and so whether more would help."""

from pydantic import BaseModel, ConfigDict

from noria.common.formatting import metric, number


class LearningCurve(BaseModel):
    """Mean scores of the same folds by the rows that their models learnt from, fewest first.

    Each size is twice the one before. `gain` is what the last doubling gained per fold in the
    metric (positive where it got better), `error` its standard error, `most` its upper bound with
    the one-sided `confidence`; `sure` says whether the lower bound is above zero. `next_gain` is
    what the next doubling would gain by the power law through three sizes, None where they follow
    none. `training_rows` is what the model itself learns from, where the search took a part of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    rows: tuple[int, ...]
    scores: tuple[float, ...]
    folds: int
    gain: float
    error: float
    most: float
    sure: bool
    confidence: float
    next_gain: float | None = None
    training_rows: int | None = None

    @property
    def sentence(self) -> str:
        """What twice the rows gained, and what that says of more."""
        few, many = self.rows[-2:]
        told = (
            f"twice the rows, {few:,} to {many:,}, gained {number(self.gain, 2)} ± "
            f"{number(self.error, 2)} {metric(self.metric)} in {self.folds} folds"
        )
        return f"{told}{self._conclusion}{self._beyond}"

    @property
    def _conclusion(self) -> str:
        if self.sure:
            about = f", twice as many by about {self.next_gain:.2g}" if self.next_gain else ""
            return f": more rows would help, with {self.confidence:.0%} confidence{about}"
        most = number(self.most, 2)
        if self.gain > self.error:
            return f", which is not sure: more rows may help, by {most} at most"
        bound = f" by more than {most}" if self.most > 0 else ""
        return f", no sure gain: more rows are unlikely to help{bound}"

    @property
    def _beyond(self) -> str:
        """The curve ends where the search's rows do, which training may exceed."""
        if self.training_rows is None:
            return ""
        return f" (the model itself learns from {self.training_rows:,})"
