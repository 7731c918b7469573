"""Support vector machines with a radial kernel; a sigmoid makes their scores probabilities."""

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC, SVR

from noria.core.training.candidates.base import Candidate, Setting


def _calibrated(C: float, gamma: str | float = "scale") -> Any:
    """Platt's sigmoid (1999, "Probabilistic outputs for support vector machines") out of fold."""
    return CalibratedClassifierCV(SVC(C=C, gamma=gamma), ensemble=False, cv=3)


CANDIDATE = Candidate(
    family="linear",
    complexity=4,
    description="widest margin between the rows nearest to it; good on few rows and smooth borders",
    classifier=_calibrated,
    regressor=SVR,
    parameters=lambda classes, rows: {"C": 1.0},
    settings={
        "more shrinkage": Setting(lambda *_: {"C": 0.1}),
        "less shrinkage": Setting(lambda *_: {"C": 10.0}, 1.5),
    },
    most_rows=3_000,
)
