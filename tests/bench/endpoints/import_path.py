"""The import path of a function: its code and layers, the standard library, Lambda's runtime."""

import os
import sys


def take(path: str) -> None:
    """Import from LAYERS:...|RUNTIME:... and nothing else but this folder."""
    layers, runtime = (part.split(os.pathsep) for part in path.split("|"))
    sys.dont_write_bytecode = True  # layers are shared
    sys.path[:] = [*layers, *sys.path, *runtime]
