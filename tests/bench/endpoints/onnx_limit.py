"""The limit: the same artifact asked by ONNX Runtime, between parsing and writing JSON.

python -I -S onnx_limit.py FOLDER LAYERS:...|RUNTIME:...

No event, no check, no id and no log: whatever serves this model takes that long at least.
"""

import json
import os
import sys

sys.path.append(os.path.dirname(__file__))

import timing
from import_path import take

KINDS = {
    "tensor(float)": "f4", "tensor(double)": "f8", "tensor(int64)": "i8", "tensor(string)": "U",
}  # fmt: skip


def serve(folder: str) -> timing.Way:
    """Load the graph; its inputs are named after the rows' fields."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = os.path.join(folder, "model.onnx")
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    inputs = [
        (one.name, one.name.partition(":")[2], np.dtype(KINDS[one.type]))
        for one in session.get_inputs()
    ]

    def answer(body: str) -> str:
        rows = json.loads(body)["rows"]
        fields = {}
        for name, field, kind in inputs:
            values = [row[field] for row in rows]
            fields[name] = np.array(values, kind).reshape(-1, 1)
        shares = session.run(["score"], fields)[0].tolist()
        answers = [{"prediction": one >= 0.5, "probability": one} for one in shares]
        return json.dumps({"predictions": answers})

    return timing.Way(
        prepare=lambda rows: json.dumps({"rows": rows}),
        ask=answer,
        scores=lambda text: [one["probability"] for one in json.loads(text)["predictions"]],
        packages=("onnxruntime", "numpy"),
    )


if __name__ == "__main__":
    take(sys.argv[2])
    timing.report("limit", sys.argv[1], serve)
