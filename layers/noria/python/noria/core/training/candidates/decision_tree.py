"""One small tree, which a person can read."""

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from noria.core.training.candidates.base import Candidate, Setting

CANDIDATE = Candidate(
    family="forest",
    complexity=0,
    description="a few questions one after another; good where few columns decide, or for reading",
    classifier=DecisionTreeClassifier,
    regressor=DecisionTreeRegressor,
    parameters=lambda classes, rows: {
        "max_leaf_nodes": 16,
        "min_samples_leaf": max(5, rows // 100),
    },
    settings={
        "more leaves": Setting(lambda _, rows: {"max_leaf_nodes": 64, "min_samples_leaf": 5}),
        "fewer leaves": Setting(lambda *_: {"max_leaf_nodes": 6}),
    },
)
