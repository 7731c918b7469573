"""Ridge regression, with scikit-learn's usual shrinkage."""

from sklearn.linear_model import Ridge

from noria.core.training.candidates.base import Candidate

CANDIDATE = Candidate(
    family="linear",
    complexity=0,
    description="least squares with shrinkage; good where effects add up, or rows are few",
    regressor=Ridge,
    parameters=lambda classes, rows: {"alpha": 1.0},
)
