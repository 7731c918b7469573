"""Tracing a prediction or a model version through a stack's bucket, back to its raw data."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from noria.aws.checksums import Audit
from noria.aws.firehose_log import Log
from noria.aws.s3 import Store, key_of
from noria.core.lineage.audit import Found, audited, objects_of
from noria.core.lineage.document import Item, Lineage, Records, Served, served_at
from noria.core.lineage.graph_svg import render_svg
from noria.core.lineage.page import render_page
from noria.core.lineage.steps import prediction_step, steps_of
from noria.core.lineage.text_tree import render_text
from noria.errors import RegistryError, RequestError
from noria.lineage.stack_records import Recorded, is_known

PARALLEL_READS = 8


@dataclass(frozen=True)
class DeployedStack:
    """The stack as it is now: its contract and code version, None where they cannot be read."""

    contract: Mapping[str, Any] | None = None
    code_version: str | None = None


def trace(
    client: Any,
    bucket: str,
    stack: str,
    asked: str | None,
    deployed: DeployedStack,
    *,
    verify: bool,
) -> Lineage:
    """Trace a prediction id, a model version or a run's last one, by default the champion.

    Raises `RequestError` for what is none of these, `RegistryError` where there is no champion. A
    link that is missing is a problem of its step; the others are there all the same.
    """
    tracer = _Tracer(client, bucket, stack, deployed)
    at = served_at(asked) if asked else None
    lineage = tracer.of_prediction(asked, at) if asked and at else tracer.of_version(asked)
    return tracer.audited(lineage, verify=verify)


class _Tracer:
    def __init__(self, client: Any, bucket: str, stack: str, deployed: DeployedStack) -> None:
        self._client, self._stack, self._deployed = client, stack, deployed
        self._store = Store(client, bucket)
        self._recorded = Recorded(self._store)

    def of_version(self, asked: str | None) -> Lineage:
        version = self._recorded.champion()
        if asked:
            version = self._recorded.latest_of(asked) or asked
        if version is None:
            raise RegistryError(
                f"stack '{self._stack}' has no champion yet: `noria run {self._stack}` trains one"
            )
        records = self._records(version)
        if asked and not is_known(records):
            raise RequestError(self._unknown(asked))
        return Lineage(stack=self._stack, asked=f"model version {version}",
                       steps=steps_of(records))  # fmt: skip

    def of_prediction(self, name: str, at: datetime) -> Lineage:
        """Trace a prediction; where its record is not found, the model that served at its time."""
        name = name.lower()
        found = self._log("predictions/").written_at(name, at)
        asked = f"prediction {name}"
        if found.record is None:
            return self._unlogged(name, at, found.read, asked)
        label = self._log("labels/").written_since(name, at)
        note = "" if label.record else f"no label among {label.read} objects of labels since"
        if label.objects > label.read:
            note += f" ({label.objects - label.read} later ones were not read)"
        served = Served(name, found.record, label.record, [note] if note else [])
        version = str(found.record.get("model_version"))
        return Lineage(stack=self._stack, asked=asked,
                       steps=steps_of(self._records(version), served))  # fmt: skip

    def _unlogged(self, name: str, at: datetime, read: int, asked: str) -> Lineage:
        version = self._recorded.serving(at)
        told = (
            f"no record of prediction {name} among {read} objects of predictions/ around "
            f"{at:%Y-%m-%d %H:%M:%S} UTC: Firehose takes up to two minutes, so try again then; "
            "else name the stack that it is of. Answers that could not be logged are counted by "
            "the metric PredictionsNotLogged"
        )
        if version is None:
            step = prediction_step(Served(name, problems=[told]))
            return Lineage(stack=self._stack, asked=asked, steps=[step])
        note = f"what follows is the lineage of version {version}, the champion of that time"
        served = Served(name, notes=[note], problems=[told])
        return Lineage(stack=self._stack, asked=asked,
                       steps=steps_of(self._records(version), served))  # fmt: skip

    def audited(self, lineage: Lineage, *, verify: bool) -> Lineage:
        """Look at every object of the chain, several at a time."""
        audit = Audit(self._client, self._store.bucket, rehash=verify)

        def look(item: Item) -> Found:
            key = self._key(item)
            if key is None:
                return "elsewhere", None
            found = audit.look(key, item.sha256, item.etag)
            return found.state, found.version

        items = {item.where: item for item in objects_of(lineage)}
        with ThreadPoolExecutor(max_workers=PARALLEL_READS) as pool:
            states = dict(zip(items, pool.map(look, items.values()), strict=True))
        return audited(lineage, states, verified=verify)

    def _key(self, item: Item) -> str | None:
        """The key of an object of this bucket, or None for one that is elsewhere."""
        if not item.is_address:
            return item.where
        own = item.where.startswith(self._store.uri(""))
        return key_of(item.where) if own else None

    def _records(self, version: str) -> Records:
        deployed = self._deployed
        return self._recorded.records(version, deployed.contract, deployed.code_version)

    def _unknown(self, asked: str) -> str:
        known = ", ".join(self._recorded.versions()[-10:]) or "none yet"
        return (
            f"'{asked}' is no prediction id, no model version and no run that trained one in stack "
            f"'{self._stack}'; its latest versions are: {known}"
        )

    def _log(self, prefix: str) -> Log:
        return Log(self._client, self._store.bucket, prefix)


def written(lineage: Lineage) -> str:
    """The lineage as a tree of text."""
    return render_text(lineage)


def drawn(lineage: Lineage, *, as_page: bool) -> str:
    """The lineage as an HTML page or as an SVG picture, self-contained."""
    return render_page(lineage) if as_page else render_svg(lineage)
