"""What forests of both kinds share: sizes that fit in seconds and serve from a few MB."""

from typing import Any

LEAVES = 256


def forest(trees: int, classes: int) -> dict[str, Any]:
    """Fewer leaves where each holds many class weights."""
    return {
        "n_estimators": trees,
        "min_samples_leaf": 2,
        "max_features": "sqrt" if classes else 0.5,
        "max_leaf_nodes": max(32, LEAVES * 2 // max(2, classes)),
    }


def resampled(rows: int, most: int) -> dict[str, Any]:
    """Rows drawn for each tree; on large tables a share of them."""
    return {"bootstrap": True, "max_samples": most / rows if rows > most else None}
