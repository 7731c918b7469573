"""Ridge regression, with scikit-learn's usual shrinkage."""

from sklearn.linear_model import Ridge

from noria.core.training.candidates.base import Candidate, Setting

CANDIDATE = Candidate(
    family="linear",
    complexity=0,
    description="least squares with shrinkage; good where effects add up, or rows are few",
    regressor=Ridge,
    parameters=lambda classes, rows: {"alpha": 1.0},
    settings={
        "more shrinkage": Setting(lambda *_: {"alpha": 10.0}),
        "much more shrinkage": Setting(lambda *_: {"alpha": 100.0}),
        "most shrinkage": Setting(lambda *_: {"alpha": 1000.0}),
        "less shrinkage": Setting(lambda *_: {"alpha": 0.1}),
    },
    of_numbers={"logarithms": Setting(target="log")},
)
