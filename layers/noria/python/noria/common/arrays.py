"""The one name for a numpy array of any type; only modules that need numpy import this."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
