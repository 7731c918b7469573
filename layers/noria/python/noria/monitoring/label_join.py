"""Labels meet their predictions: an index of ids and scores in S3, read only where ids fall."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from noria.aws.s3 import MissingObjectError, Store
from noria.common.arrays import Array
from noria.core.model.label_parsing import encode_label
from noria.core.model.signature import Signature
from noria.core.monitoring.label_index import Segment
from noria.core.monitoring.prediction_log import Score, parse_lines
from noria.core.monitoring.state import SegmentEntry, State, Waiting
from noria.errors import RequestError

INDEX = "monitoring/_index/_"


@dataclass
class Labelled:
    """What a tick's labels came to."""

    keys: list[str]
    segments: list[SegmentEntry]
    pairs: list[tuple[float, Score]] = field(default_factory=list)
    unmatched: dict[str, Waiting] = field(default_factory=dict)
    matched: int = 0
    of_others: int = 0
    refused: int = 0


class LabelJoin:
    """The labels of one tick, and every segment that may hold their predictions."""

    def __init__(self, store: Store, state: State, champion: str, signature: Signature) -> None:
        self._store, self._state = store, state
        self._champion, self._signature = champion, signature
        self._added: list[tuple[SegmentEntry, Segment]] = []

    def add(self, model: str, ids: list[str], scores: Array, at: datetime) -> None:
        """Index the predictions that a model made since the last tick."""
        segment = Segment.of(ids, scores)
        first, last = segment.span
        key = f"{INDEX}{at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}-{model}.npz"
        self._added.append(
            (SegmentEntry(key=key, model=model, first=first, last=last, at=at), segment)
        )

    def run(self, at: datetime, committed: datetime | None) -> Labelled:
        """Join, mark what was labelled, and write the segments that changed."""
        state = self._state
        keys = state.labels.fresh(self._store.keys("labels/", state.labels.floor or None))
        result = Labelled(keys, [])
        given = self._given(keys, result)
        remaining = {name: Waiting(value=value, since=at) for name, value in given.items()}
        tick = int(at.timestamp()), int(committed.timestamp()) if committed else 0
        names = sorted(remaining)
        for entry in state.segments:
            wanted = [name for name in _between(names, entry) if name in remaining]
            if not wanted or self._match_stored(entry, wanted, remaining, tick, result):
                result.segments.append(entry)
        # Labels that waited have been looked for in every older segment: only new ones are left.
        remaining = {**state.unmatched, **remaining}
        names = sorted(remaining)
        for entry, segment in self._added:
            wanted = [name for name in _between(names, entry) if name in remaining]
            self._match(entry, segment, wanted, remaining, tick, result)
            self._store.put(entry.key, segment.to_bytes())
            result.segments.append(entry)
        result.unmatched = remaining
        return result

    def _given(self, keys: list[str], result: Labelled) -> dict[str, Any]:
        """Read labels; of several for one prediction the latest counts."""
        given: dict[str, Any] = {}
        for key in keys:
            records, refused = parse_lines(self._store.get(key))
            result.refused += refused
            given |= {record["prediction_id"]: record.get("value") for record in records}
        return given

    def _match_stored(
        self,
        entry: SegmentEntry,
        wanted: list[str],
        remaining: dict[str, Waiting],
        tick: tuple[int, int],
        result: Labelled,
    ) -> bool:
        """Match with a stored segment and write it back; False when it is gone."""
        try:
            segment = Segment.from_bytes(self._store.get(entry.key))
        except MissingObjectError:
            return False
        if self._match(entry, segment, wanted, remaining, tick, result):
            self._store.put(entry.key, segment.to_bytes())
        return True

    def _match(
        self,
        entry: SegmentEntry,
        segment: Segment,
        wanted: list[str],
        remaining: dict[str, Waiting],
        tick: tuple[int, int],
        result: Labelled,
    ) -> bool:
        """Take the labels that belong to a segment's predictions out of `remaining`."""
        places = segment.find(wanted).tolist()
        found = [(n, p) for n, p in zip(wanted, places, strict=True) if p >= 0]
        if not found:
            return False
        fresh = segment.mark(np.array([place for _, place in found]), *tick)
        for (name, place), is_first in zip(found, fresh.tolist(), strict=True):
            label = remaining.pop(name)
            if is_first:
                self._take(entry, label.value, segment.scores[place].tolist(), result)
        return True

    def _take(self, entry: SegmentEntry, value: Any, score: Score, result: Labelled) -> None:
        if entry.model != self._champion:
            result.of_others += 1
            return
        try:
            truth = encode_label(value, self._signature)
        except RequestError:
            result.refused += 1
            return
        result.pairs.append((float(truth), score))
        result.matched += 1


def _between(names: list[str], entry: SegmentEntry) -> list[str]:
    """The sorted ids that lie within a segment's span."""
    return names[bisect_left(names, entry.first) : bisect_right(names, entry.last)]
