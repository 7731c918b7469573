"""`make bench`: what Noria takes beside what one would write by hand. Medians of REPEAT=3.

python -m tests.bench [execution|reading|analysis|features|windows|lookup|models|serving|lambda ...]
"""

import os
import sys

from rich.console import Console

from tests.bench import (
    analysis,
    capacity,
    execution,
    feature_store,
    lookup,
    model_search,
    reading,
    serving,
    windows,
)

PARTS = {
    "execution": execution.compare,
    "reading": reading.compare,
    "analysis": analysis.compare,
    "features": feature_store.compare,
    "windows": windows.compare,
    "lookup": lookup.compare,
    "models": model_search.compare,
    "serving": serving.compare,
    "lambda": capacity.measure_stages,
}


def main(names: list[str]) -> None:
    """Run the parts named, or all."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"no part of the bench is called '{unknown[0]}': there are {', '.join(PARTS)}")
    repeat, console = int(os.environ.get("REPEAT", "3")), Console(width=100)
    for name in names or PARTS:
        console.rule(name)
        PARTS[name](console, repeat)


if __name__ == "__main__":
    main(sys.argv[1:])
