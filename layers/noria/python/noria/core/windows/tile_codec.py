"""An entity's tiles as bytes, as the online table keeps them for the endpoint."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from noria.core.windows.tiles import Group, Tiles
from noria.errors import FeatureError

FORMAT = 1
WHOLE = ("known", "end", "until", "count", "last")  # the entity is known by its item
REAL = ("total", "least", "most")


def pack(tiles: Mapping[Group, Tiles]) -> bytes:
    """Write one entity's tiles; equal tiles give equal bytes."""
    groups = [[*group, len(there)] for group, there in tiles.items()]
    header = json.dumps({"format": FORMAT, "groups": groups}).encode()
    parts = [_packed(there) for there in tiles.values()]
    return zlib.compress(b"\n".join([header, b"".join(parts)]), 6)


def unpack(content: bytes, entity: int = 0) -> dict[Group, Tiles]:
    """Read what `pack` wrote, as the tiles of an entity with this code; raises `FeatureError`."""
    try:
        header, _, body = zlib.decompress(content).partition(b"\n")
        written = json.loads(header)
        if written["format"] != FORMAT:
            raise ValueError(f"format {written['format']}")
        groups = written["groups"]
        found, place = {}, 0
        for column, tile, count in groups:
            size = count * 8 * (len(WHOLE) + len(REAL))
            found[Group(column, tile)] = _unpacked(body[place : place + size], count, entity)
            place += size
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise FeatureError(
            "an item of the online table is not a history that this code wrote; run the machine "
            "again, which materializes it"
        ) from error
    return found


def join(states: list[dict[Group, Tiles]]) -> dict[Group, Tiles]:
    """Put the tiles of several entities (in the order of their codes) together."""
    groups = dict.fromkeys(group for state in states for group in state)
    return {
        group: Tiles(
            **{
                one.name: np.concatenate(
                    [getattr(state[group], one.name) for state in states if group in state]
                )
                for one in fields(Tiles)
            }
        )
        for group in groups
    }


def _packed(tiles: Tiles) -> bytes:
    # Differences of neighbours compress well: ends and times mostly grow evenly.
    whole = [np.diff(getattr(tiles, name), prepend=np.int64(0)) for name in WHOLE]
    real = [getattr(tiles, name) for name in REAL]
    return b"".join(part.astype(f"<{part.dtype.kind}8").tobytes() for part in (*whole, *real))


def _unpacked(content: bytes, count: int, entity: int) -> Tiles:
    whole = np.frombuffer(content, "<i8", count * len(WHOLE)).reshape(len(WHOLE), count)
    real = np.frombuffer(content, "<f8", count * len(REAL), whole.nbytes)
    # Differences may wrap around int64; so do the sums that undo them.
    times = dict(zip(WHOLE, np.cumsum(whole, axis=1), strict=True))
    numbers = dict(zip(REAL, real.reshape(len(REAL), count), strict=True))
    return Tiles(entity=np.full(count, entity, dtype=np.int64), **(times | numbers))
