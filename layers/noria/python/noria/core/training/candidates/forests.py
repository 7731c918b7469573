"""What forests of both kinds share: sizes that fit in seconds and serve from a few MB."""

from typing import Any

from noria.core.training.candidates.base import Setting

LEAVES = 256


def forest(trees: int, classes: int) -> dict[str, Any]:
    """Fewer leaves where each holds many class weights."""
    return {
        "n_estimators": trees,
        "min_samples_leaf": 2,
        "max_features": "sqrt" if classes else 0.5,
        "max_leaf_nodes": _leaves(classes),
    }


def resampled(rows: int, most: int) -> dict[str, Any]:
    """Rows drawn for each tree; on large tables a share of them."""
    return {"bootstrap": True, "max_samples": most / rows if rows > most else None}


def forest_settings() -> dict[str, Setting]:
    """How deep a tree goes, and how many features it looks at for a split."""
    return {
        "larger trees": Setting(lambda classes, _: {"max_leaf_nodes": 4 * _leaves(classes)}, 2),
        "larger leaves": Setting(lambda *_: {"min_samples_leaf": 10}),
        "larger trees, more features": Setting(
            lambda classes, _: {
                "max_leaf_nodes": 4 * _leaves(classes),
                "max_features": 0.5 if classes else 1.0,
                "min_samples_leaf": 1,
            },
            5,
        ),
    }


def _leaves(classes: int) -> int:
    return max(32, LEAVES * 2 // max(2, classes))
