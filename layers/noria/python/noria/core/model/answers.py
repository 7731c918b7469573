"""A model's answers to rows, column by column until they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.core.model.signature import Signature
from noria.core.model.written_types import Label
from noria.core.statistics.metrics import labels

Answer = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """What a model says of n rows.

    `scores` are P(positive) (n,), the classes' probabilities (n, k), or the values (n,), in double
    precision; `predictions` are the n classes in the type of the data, or the values. `inputs`
    are what the graph took, arrays of shape (n, 1) by input name.
    """

    signature: Signature
    scores: Array
    predictions: Sequence[Label]
    inputs: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: Array, signature: Signature) -> "Answers":
        """Decide by the signature's threshold, or for the most probable class."""
        if signature.task == "regression":
            return cls(signature, scores, scores.tolist())
        names = signature.class_labels
        chosen = [names[code] for code in labels(scores, signature.threshold).tolist()]
        if signature.task == "multiclass" and scores.ndim == 1:
            # two of the classes that a multiclass target may have
            scores = np.column_stack((1 - scores, scores))
        return cls(signature, scores, chosen)

    def first_infinite(self) -> int | None:
        """The number of the first row whose score is no finite number, or None."""
        finite = np.isfinite(self.scores)
        if finite.all():
            return None
        rows = finite if finite.ndim == 1 else finite.all(axis=1)
        return int(np.argmin(rows))

    def logged_scores(self) -> list[Any]:
        """P(positive), the probabilities in the classes' order, or the value; P(second) of two."""
        if self.scores.ndim == 2 and self.scores.shape[1] == 2:
            return list(self.scores[:, 1].tolist())
        return list(self.scores.tolist())

    def as_dicts(self) -> list[Answer]:
        """Each row's prediction with its probability, its probabilities or its interval."""
        return [{"prediction": one, **more} for one, more in self._pairs()]

    def with_ids(self, ids: Sequence[str]) -> list[Answer]:
        """The same, each under its id."""
        pairs = zip(ids, self._pairs(), strict=True)
        return [{"id": name, "prediction": one, **more} for name, (one, more) in pairs]

    def _pairs(self) -> list[tuple[Label, Answer]]:
        return list(zip(self.predictions, self._details(), strict=True))

    def _details(self) -> list[Answer]:
        scores = self.scores.tolist()
        if self.signature.task == "binary":
            return [{"probability": one} for one in scores]
        if self.signature.task == "multiclass":
            names = self.signature.classes
            return [{"probabilities": dict(zip(names, row, strict=True))} for row in scores]
        if self.signature.interval is None:
            return [{}] * len(scores)
        ends = np.column_stack(self.signature.interval.around(self.scores)).tolist()
        return [{"interval": between} for between in ends]
