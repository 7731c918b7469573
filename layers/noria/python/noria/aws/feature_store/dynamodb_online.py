"""The latest values per entity in DynamoDB, on demand: an idle table costs nothing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from noria.aws.clients import WRITERS
from noria.common.backoff import Backoff
from noria.errors import FeatureError

BATCH = 100  # keys that BatchGetItem takes at once
TRIES = 8
FIRST_PAUSE = 0.1  # seconds at most, twice as much from try to try
PARTITION_KEY = "entity"
ONLINE_SUFFIX = "_online"  # as infra/constructs/store.py names the table
NOT_NEWER = "attribute_not_exists(loaded_at) OR loaded_at <= :at"
LONGEST_KEY = 1024  # bytes that a key may have as text; DynamoDB takes 2,048
LARGEST_ITEM = 390_000  # bytes of values and history; DynamoDB takes 409,600 with names and times


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

    @property
    def identity(self) -> str:
        """What tells this table from one of the same name before or after it."""
        table = self._client.describe_table(TableName=self._table)["Table"]
        return str(table["CreationDateTime"])

    def load(self, feature_set: str, rows: Iterable[Latest], at: int) -> int:
        """Put what is known of entities at an instant (microseconds since 1970).

        What was loaded for a later instant stays. Returns how many rows were put; raises
        `FeatureError` for one that DynamoDB has no room for.
        """
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            return sum(pool.map(lambda row: self._put(feature_set, row, at), rows))

    def read(self, feature_set: str, keys: Sequence[Sequence[str]]) -> list[Latest | None]:
        """The rows of entities in the order of `keys`; None for one that is not known."""
        names = {item_key(feature_set, key): tuple(key) for key in keys}
        unique = list(names)
        found: dict[str, Latest] = {}
        for first in range(0, len(unique), BATCH):
            for name, item in self._batch(unique[first : first + BATCH]).items():
                found[name] = _latest(names[name], item)
        return [found.get(item_key(feature_set, key)) for key in keys]

    def _put(self, feature_set: str, row: Latest, at: int) -> bool:
        item: dict[str, dict[str, Any]] = {
            PARTITION_KEY: {"S": item_key(feature_set, row.key)},
            "event_time": {"N": str(row.event_time)},
            "created_time": {"N": str(row.created_time)},
            # As JSON a double stays the same to the bit; DynamoDB's numbers are decimal.
            "features": {"S": json.dumps(dict(row.values), sort_keys=True, allow_nan=True)},
            "history": {"B": row.history},
            "loaded_at": {"N": str(at)},
        }
        _refuse_large(row, len(row.history) + len(item["features"]["S"].encode()))
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression=NOT_NEWER,
                ExpressionAttributeValues={":at": item["loaded_at"]},
            )  # fmt: skip
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _batch(self, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        wanted: list[Any] = [{PARTITION_KEY: {"S": name}} for name in names]
        found: dict[str, Mapping[str, Any]] = {}
        for _ in Backoff(TRIES, FIRST_PAUSE, sleep=self._pause):
            answer = self._ask(wanted)
            for item in answer["Responses"].get(self._table, []):
                found[item[PARTITION_KEY]["S"]] = item
            wanted = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not wanted:
                return found
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
    """The item that holds an entity's latest values: JSON, so that no two keys run together.

    Of a key that DynamoDB has no room for it is the digest.
    """
    name = json.dumps([feature_set, *key], ensure_ascii=False)
    content = name.encode(errors="surrogatepass")
    return name if len(content) <= LONGEST_KEY else f"sha256:{sha256(content).hexdigest()}"


def _refuse_large(row: Latest, size: int) -> None:
    if size > LARGEST_ITEM:
        raise FeatureError(
            f"the history of entity {', '.join(row.key)[:100]} takes {size:,} bytes, and an item "
            f"of DynamoDB holds {LARGEST_ITEM:,}: use fewer features.windows, or fewer columns"
        )


def _latest(key: tuple[str, ...], item: Mapping[str, Any]) -> Latest:
    return Latest(
        key=key,
        event_time=int(item["event_time"]["N"]),
        created_time=int(item["created_time"]["N"]),
        values=json.loads(item["features"]["S"]),
        history=bytes(item["history"]["B"]) if "history" in item else b"",
    )
