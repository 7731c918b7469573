"""Logistic regression, with scikit-learn's usual shrinkage."""

from sklearn.linear_model import LogisticRegression

from noria.core.training.candidates.base import Candidate, Setting

CANDIDATE = Candidate(
    family="linear",
    complexity=0,
    description="weighted sum of the features; good where effects add up, or rows are few",
    classifier=LogisticRegression,
    parameters=lambda classes, rows: {"C": 1.0, "max_iter": 300, "tol": 1e-3},
    settings={
        "more shrinkage": Setting(lambda *_: {"C": 0.1}),
        "much more shrinkage": Setting(lambda *_: {"C": 0.01}),
        "less shrinkage": Setting(lambda *_: {"C": 10.0}, 2),
    },
)
