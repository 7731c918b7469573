"""The latest values per entity in DynamoDB, on demand: an idle table costs nothing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from noria.aws.clients import WRITERS
from noria.errors import FeatureError

BATCH = 100  # keys that BatchGetItem takes at once
TRIES = 8
FIRST_PAUSE = 0.05  # seconds, doubled from try to try
PARTITION_KEY = "entity"
ONLINE_SUFFIX = "_online"  # as infra/store.py names the table
NEWER = (
    "attribute_not_exists(entity) OR event_time < :event "
    "OR (event_time = :event AND created_time <= :created)"
)


@dataclass(frozen=True)
class Latest:
    """An entity's latest row: key values as text, times in microseconds since 1970, UTC.

    `history` are the tiles that its history windows are made from (`core.window_state`).
    """

    key: tuple[str, ...]
    event_time: int
    created_time: int
    values: Mapping[str, Any]
    history: bytes = b""


class OnlineTable:
    """One DynamoDB table for all feature sets of a stack."""

    def __init__(self, client: Any, table: str, pause: Callable[[float], None]) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def load(self, feature_set: str, rows: Iterable[Latest]) -> int:
        """Put rows where no newer one is; returns how many were put.

        A row that is older than what is there, by event time and then created time, is left out.
        """
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            return sum(pool.map(lambda row: self._put(feature_set, row), rows))

    def read(self, feature_set: str, keys: Sequence[Sequence[str]]) -> list[Latest | None]:
        """The rows of entities in the order of `keys`; None for one that is not known."""
        names = [item_key(feature_set, key) for key in keys]
        unique = list(dict.fromkeys(names))
        found: dict[str, Latest] = {}
        for first in range(0, len(unique), BATCH):
            found.update(self._batch(unique[first : first + BATCH]))
        return [found.get(name) for name in names]

    def _put(self, feature_set: str, row: Latest) -> bool:
        item = {
            PARTITION_KEY: {"S": item_key(feature_set, row.key)},
            "event_time": {"N": str(row.event_time)},
            "created_time": {"N": str(row.created_time)},
            # As JSON a double stays the same to the bit; DynamoDB's numbers are decimal.
            "features": {"S": json.dumps(dict(row.values), sort_keys=True, allow_nan=True)},
            "history": {"B": row.history},
        }
        times = {":event": item["event_time"], ":created": item["created_time"]}
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression=NEWER,
                ExpressionAttributeValues=times,
            )  # fmt: skip
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _batch(self, names: Sequence[str]) -> dict[str, Latest]:
        wanted: list[Any] = [{PARTITION_KEY: {"S": name}} for name in names]
        found: dict[str, Latest] = {}
        for attempt in range(TRIES):
            answer = self._ask(wanted)
            for item in answer["Responses"].get(self._table, []):
                found[item[PARTITION_KEY]["S"]] = _latest(item)
            wanted = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not wanted:
                return found
            self._pause(FIRST_PAUSE * 2**attempt)
        raise FeatureError(
            f"DynamoDB left {len(wanted)} keys of table '{self._table}' unanswered {TRIES} times; "
            "it is throttled: ask again later"
        )

    def _ask(self, wanted: list[Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": wanted}}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise FeatureError(
                f"there is no table '{self._table}': a stack has one where its contract has "
                "features.windows; deploy it with them"
            ) from error
        return answer


def table_of(database: str) -> str:
    """The online table of the stack with this Glue database."""
    return database + ONLINE_SUFFIX


def item_key(feature_set: str, key: Sequence[str]) -> str:
    """The item that holds an entity's latest values: JSON, so that no two keys run together."""
    return json.dumps([feature_set, *key], ensure_ascii=False)


def _latest(item: Mapping[str, Any]) -> Latest:
    name = json.loads(item[PARTITION_KEY]["S"])
    return Latest(
        key=tuple(name[1:]),
        event_time=int(item["event_time"]["N"]),
        created_time=int(item["created_time"]["N"]),
        values=json.loads(item["features"]["S"]),
        history=bytes(item["history"]["B"]) if "history" in item else b"",
    )
