"""Time-window aggregations from packed tiles, as the endpoint computes them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.windows.tile_codec import join, unpack
from noria.core.windows.tiles import WindowAggregation, evaluate


def windows_of(
    histories: Sequence[bytes], windows: Sequence[WindowAggregation], instants: Array, delay: int
) -> dict[str, NDArray[np.float32]]:
    """The windows of one entity per instant (seconds since 1970), by its packed tiles.

    An empty history is that of an entity that nothing is known of.
    """
    distinct = list(dict.fromkeys(filter(None, histories)))
    codes = {content: code for code, content in enumerate(distinct)}
    tiles = join([unpack(content, code) for code, content in enumerate(distinct)])
    entity = np.array([codes.get(content, -1) for content in histories], dtype=np.int64)
    return evaluate(tiles, windows, entity, np.asarray(instants, dtype=np.int64), delay)
