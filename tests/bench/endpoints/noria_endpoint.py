"""The endpoint's own handler, which imports from its layers and nothing else.

python -I -S noria_endpoint.py FOLDER LAYERS:...|RUNTIME:...
"""

import os
import sys

sys.path.append(os.path.dirname(__file__))

import timing
from gateway import CONTEXT, event, probabilities
from import_path import take


def serve(folder: str) -> timing.Way:
    """Initialise as a published version does: by importing the handler's module."""
    from functions.endpoint import handler

    return timing.Way(
        prepare=lambda rows: event({"rows": rows}),
        ask=lambda asked: handler(asked, CONTEXT),
        scores=probabilities,
        packages=("onnxruntime", "numpy"),
    )


if __name__ == "__main__":
    take(sys.argv[2])
    timing.report("noria", sys.argv[1], serve)
