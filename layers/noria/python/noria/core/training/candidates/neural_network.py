"""A small neural network, stopped before it learns its rows by heart."""

from sklearn.neural_network import MLPClassifier, MLPRegressor

from noria.core.training.candidates.base import Candidate, Setting

CANDIDATE = Candidate(
    family="linear",
    complexity=4,
    description="two layers of weighted sums; good on smooth effects of many columns together",
    classifier=MLPClassifier,
    regressor=MLPRegressor,
    parameters=lambda classes, rows: {
        "hidden_layer_sizes": (64, 32),
        "alpha": 1e-2,
        "max_iter": 60,
        "early_stopping": rows >= 1_000,
        "n_iter_no_change": 6,
    },
    settings={
        "more shrinkage": Setting(lambda *_: {"alpha": 1.0}),
        "one narrow layer": Setting(lambda *_: {"hidden_layer_sizes": (16,)}, 0.6),
    },
    most_rows=20_000,
)
