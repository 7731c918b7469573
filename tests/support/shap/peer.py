"""Shapley values of a model's answers by the package `shap`, in an environment of its own.

Reads model.onnx, names.json and given.npz (`rows` to explain and `background`, a column per name)
of a folder, and writes found.npz (`values` per row and column, `base` per row).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import shap


def main(folder: Path) -> None:
    """Explain the rows of the folder."""
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    names = json.loads((folder / "names.json").read_text())
    given = np.load(folder / "given.npz")

    def score(rows: np.ndarray) -> np.ndarray:
        fields = {
            f"field:{name}": rows[:, place : place + 1].astype(np.float32)
            for place, name in enumerate(names)
        }
        return np.asarray(session.run(["score"], fields)[0], dtype=np.float64)

    background = given["background"]
    masker = shap.maskers.Independent(background, max_samples=len(background))
    found = shap.explainers.Exact(score, masker)(given["rows"])
    base = np.broadcast_to(found.base_values, len(given["rows"]))
    np.savez(folder / "found.npz", values=found.values, base=base)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
