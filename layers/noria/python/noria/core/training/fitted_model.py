"""A model as it is fitted and exported: one pipeline, or several whose answers are blended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import Plan
from noria.core.model.calibration import Calibration
from noria.core.training.estimators import fit, make_pipeline, predict_scores
from noria.core.training.onnx_export import blend_to_onnx
from noria.core.training.trial import Experiment


@dataclass(frozen=True)
class Member:
    """A candidate with its recipe's plan and its setting, and its weight in the answer."""

    plan: Plan
    candidate: str
    setting: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class FittedModel:
    """Fitted pipelines with their weights, which sum to one, and what corrects their mean."""

    parts: tuple[tuple[float, Pipeline], ...]
    classes: int
    calibration: Calibration | None = None

    def scores(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """P(positive) (n,), probabilities of all classes (n, k), or values (n,)."""
        found = [
            weight * predict_scores(pipeline, frame, self.classes)
            for weight, pipeline in self.parts
        ]
        mean = np.asarray(sum(found))
        return mean if self.calibration is None else self.calibration.apply(mean)

    def inputs(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The raw columns that any of them reads, in the dataset's order."""
        read = {
            one.name
            for _, pipeline in self.parts
            for one in pipeline.named_steps["features"].inputs(columns)
        }
        return tuple(one for one in columns if one.name in read)

    def to_onnx(self, columns: Sequence[Column]) -> bytes:
        """One artifact that answers as they do together."""
        return blend_to_onnx(
            self.parts, columns, self.inputs(columns), self.classes, self.calibration
        )


def members_of(chosen: Experiment, plans: Mapping[str, Plan]) -> list[Member]:
    """What is fitted of an experiment: its candidate, or what its blend is made of.

    `plans` are those of its recipes, by name.
    """
    if not chosen.blend:
        return [Member(plans[chosen.recipe], chosen.candidate, chosen.setting)]
    return [
        Member(plans[one.recipe], one.candidate, one.setting, one.weight) for one in chosen.blend
    ]


def fit_members(
    members: Sequence[Member],
    rows: Dataset,
    problem: Problem,
    seed: int,
    calibration: Calibration | None = None,
) -> FittedModel:
    """Fit every member on these rows; the correction of their answers is as it was found."""
    classes, frame = len(rows.classes), frame_of(rows)
    parts = []
    for one in members:
        pipeline = make_pipeline(
            one.candidate, one.plan, problem, classes, len(rows), seed, one.setting
        )
        parts.append((one.weight, fit(pipeline, frame, rows.target)))
    return FittedModel(tuple(parts), classes, calibration)
