"""Versions of the libraries that make a model what it is."""

from importlib.metadata import version

LIBRARIES = ("scikit-learn", "skl2onnx", "numpy", "pandas")


def library_versions() -> dict[str, str]:
    """The installed version of each."""
    return {name: version(name) for name in LIBRARIES}
