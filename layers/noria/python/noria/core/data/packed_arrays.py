"""Arrays of texts in an archive: each text once, and its place for every row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(key: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The arrays that stand for one under a key: numbers as they are."""
    if values.dtype.kind != "U":
        return {key: values}
    texts = values.tolist()
    position = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    codes = np.fromiter(map(position.__getitem__, texts), dtype=np.int32, count=len(texts))
    return {key: codes, f"{key}.values": np.array(list(position), dtype=np.str_)}


def unpacked(key: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The array that `packed` made these of; KeyError where they hold none."""
    vocabulary = arrays.get(f"{key}.values")
    return arrays[key] if vocabulary is None else np.asarray(vocabulary[arrays[key]])
