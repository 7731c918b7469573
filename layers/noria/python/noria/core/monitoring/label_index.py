"""The index by which labels find their predictions: ids and scores, by tick and model."""

import io
import zipfile
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.errors import DataError

ID_TYPE = "S36"
UNLABELLED = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Segment:
    """Predictions in the order of their ids.

    `labelled` is the tick (epoch seconds) whose labels a prediction got, or UNLABELLED.
    """

    ids: Array
    scores: Array
    labelled: NDArray[np.int64]

    @classmethod
    def of(cls, ids: list[str], scores: Array) -> Self:
        """Sort predictions by id; one that was delivered twice is kept once."""
        unique, first = np.unique(np.array(ids, dtype=ID_TYPE), return_index=True)
        unlabelled = np.full(len(unique), UNLABELLED, dtype=np.int64)
        return cls(unique, scores[first].astype(np.float32), unlabelled)

    @property
    def span(self) -> tuple[str, str]:
        """The first and the last id."""
        return self.ids[0].decode(), self.ids[-1].decode()

    def find(self, wanted: list[str]) -> NDArray[np.int64]:
        """Return the position of each id, -1 where it is not here."""
        names = np.array(wanted, dtype=ID_TYPE)
        places = np.minimum(np.searchsorted(self.ids, names), len(self.ids) - 1)
        return np.where(self.ids[places] == names, places, -1)

    def mark(self, places: NDArray[np.int64], tick: int, committed: int) -> NDArray[np.bool_]:
        """Mark predictions as labelled in this tick; returns which had no label before.

        A mark later than `committed` was left by a tick that never finished, and does not count.
        """
        fresh: NDArray[np.bool_] = self.labelled[places] > committed
        self.labelled[places[fresh]] = tick
        return fresh

    def to_bytes(self) -> bytes:
        """Write an npz archive."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, ids=self.ids, scores=self.scores, labelled=self.labelled)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote; raises DataError."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                return cls(archive["ids"], archive["scores"], archive["labelled"])
        except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
            raise DataError(
                "a segment of the monitor's index cannot be read: restore its earlier version in S3"
            ) from error
