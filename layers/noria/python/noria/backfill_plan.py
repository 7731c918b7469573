"""What a backfill is to do: from which run's accepted rows, in which months, as which columns."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.aws.clients import client
from noria.aws.feature_store import Catalogue, Files, Manifest
from noria.aws.runlog import RunLog
from noria.aws.storage import encode
from noria.context import Stage
from noria.contracts import Problem
from noria.core.dataset import Dataset
from noria.core.feature_evolution import compare, evolve
from noria.core.feature_rows import select_feature_rows
from noria.core.feature_sets import DEFAULT_SET, FeatureSet
from noria.core.feature_writes import within_query
from noria.errors import FeatureError
from noria.event_range import EventRange
from noria.feature_loading import Accepted, half_of_memory, open_accepted
from noria.feature_registry import FeatureRegistry
from noria.feature_store import open_feature_store
from noria.runtime import StageEvent, parse_time


class Plan(BaseModel):
    """A backfill, as it was planned; `basis` is a digest of contract and code at that time.

    It fills what stored rows have no place for, or takes the place of all stored rows (`replace`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    basis: str
    run: str
    as_of: str
    start: str
    end: str
    parts: tuple[str, ...]
    definition: FeatureSet
    replace: bool = False

    @property
    def range(self) -> EventRange:
        """The event times whose rows are computed again."""
        return EventRange.parse(self.start, self.end)


class Deployed(Stage):
    """A stage under the deployed contract, whatever the run's own was."""

    @cached_property
    def problem(self) -> Problem:
        """The deployed contract."""
        return Problem.model_validate_json(self.environment.problem)

    @property
    def basis(self) -> str:
        """A digest of all that rows are made with: the deployed contract and code."""
        facts = [self.problem.to_document(), self.environment.code_version]
        return hashlib.sha256(encode(facts)).hexdigest()

    def reading(self, run: str, as_of: str) -> "Deployed":
        """The stage that reads a run's files, at that run's logical time."""
        event = StageEvent(
            state=self.event.state, execution=run, started_at=parse_time(as_of),
            input={"as_of": as_of},
        )  # fmt: skip
        return Deployed(event, self.environment)

    def features(self) -> Any:
        """The feature store, as a context."""
        catalogue = Catalogue(client("glue"), self.environment.database)
        retention = self.problem.features.retention
        return open_feature_store(
            Files(self.store), catalogue, megabytes=half_of_memory(), retention=retention
        )


def rows_of(accepted: Accepted, previous: datetime | None = None) -> tuple[FeatureSet, str]:
    """What a run's accepted rows are under the deployed contract.

    `previous` is when the run before it was; without it all count as in time.
    """
    stage = accepted.stage
    dataset = Dataset.from_bytes(stage.dataset())
    types, target = accepted.with_target(dataset)
    needed = [*stage.problem.entity_key, *filter(None, [stage.problem.event_time_column])]
    missing = [name for name in needed if name not in types]
    if missing:
        raise FeatureError(
            f"run '{stage.event.execution}' accepted rows without '{missing[0]}', which the "
            "deployed contract names; run the machine first"
        )
    as_of, path = stage.event.as_of, str(accepted.path)
    rows = select_feature_rows(types, stage.problem, path, as_of, previous, target)
    return accepted.definition(types, dataset), rows


def make_plan(
    stage: Deployed, asked: EventRange, wanted: str | None, *, replace: bool = False
) -> Plan:
    """Plan a backfill, or find it planned; raises `FeatureError` where there is nothing to do.

    `wanted` names the run whose accepted rows are taken, by default the latest that stored some.
    """
    _refuse_contract(stage.problem)
    run = _run(stage, wanted)
    name = _name(stage, asked, run, replace)
    backfills = Files(stage.store).backfills
    found = backfills.read(name)
    if found is None:
        planned = _planned(stage, name, asked, run).model_copy(update={"replace": replace})
        found = backfills.write(name, planned.model_dump(mode="json"))
    return Plan.model_validate(found)


def _run(stage: Deployed, wanted: str | None) -> dict[str, str]:
    """The log's entry of the run whose accepted rows are taken."""
    entries = {entry["run_id"]: entry for entry in RunLog(stage.store).entries()}
    manifests = _manifests(stage)
    usable = (name for name in reversed(entries) if _is_usable(stage, name, manifests))
    if wanted is not None:
        # A run that only stored features is not in the log; its ending tells its time.
        ending = stage.store.get_json(f"runs/{wanted}/ending.json", None)
        found = entries.get(wanted) or (ending and {"run_id": wanted, "as_of": ending["as_of"]})
        if found and _is_usable(stage, wanted, manifests):
            return dict(found)
        known = ", ".join(usable) or "none"
        raise FeatureError(
            f"run '{wanted}' stored no rows in feature set '{DEFAULT_SET}': it is not known (any "
            "more, where it brought nothing and 1,000 runs came after it), tried a variation, or "
            f"ended before; runs that did are: {known}"
        )
    latest = next(usable, None)
    if latest is None:
        raise FeatureError("no run has stored rows of these entities lately; run the machine first")
    return entries[latest]


def _manifests(stage: Deployed) -> list[Manifest]:
    """What the versions of the deployed contract's set hold that name rows as it does."""
    key = [name.lower() for name in stage.problem.entity_key]
    files = Files(stage.store)
    registry = FeatureRegistry(files, Catalogue(client("glue"), stage.environment.database))
    return [
        files.current(one.table)
        for one in registry.feature_sets()
        if one.name == DEFAULT_SET and one.keys == key
    ]


def _is_usable(stage: Deployed, run: str, manifests: Sequence[Manifest]) -> bool:
    """Whether a run's accepted rows are there, and are those of the deployed contract's set.

    One that failed before it stored them would make rows that came late count as in time.
    """
    return _etag(stage, run) is not None and any(one.share_of(run) for one in manifests)


def _etag(stage: Deployed, run: str) -> str | None:
    """The ETag of a run's accepted rows, None where it has none."""
    found = stage.store.objects(f"clean/run={run}/rows.parquet")
    return found[0].etag if found else None


def _name(stage: Deployed, asked: EventRange, run: dict[str, str], replace: bool) -> str:
    """A name that follows from all that the rows follow from."""
    etag = _etag(stage, run["run_id"])
    facts = [str(asked), run["run_id"], run["as_of"], etag, stage.basis, replace]
    digest = hashlib.sha256(encode(facts)).hexdigest()[:10]
    return f"backfill-{asked.start:%Y%m%d}-{asked.end:%Y%m%d}-{digest}"


def _planned(stage: Deployed, name: str, asked: EventRange, run: dict[str, str]) -> Plan:
    with open_accepted(stage.reading(run["run_id"], run["as_of"])) as accepted:
        definition, relation = rows_of(accepted)
        _refuse_other_version(accepted.features.latest(definition.name), definition, run["run_id"])
        feature_set = accepted.features.register(definition)
        if accepted.features.beside(feature_set).earlier is not None:
            raise FeatureError(
                f"version {feature_set.version} of the feature set has no rows yet; run the "
                "machine first, which takes over what is stored and when it came"
            )
        kept = _kept(asked, stage.problem, accepted.features.latest_run(feature_set))
        engine = accepted.features.engine
        parts = tuple(
            month.name for month in kept.months()
            if engine.count(within_query(relation, month.start, month.end))
        )  # fmt: skip
        if not parts:
            first, last = engine.span(relation)
            raise FeatureError(
                f"run '{run['run_id']}' accepted no rows with event times from {kept}; its "
                f"event times are {first} to {last} (UTC): give a range among them"
            )
    return Plan(
        name=name, basis=stage.basis, run=run["run_id"], as_of=run["as_of"], parts=parts,
        start=kept.start.isoformat(), end=kept.end.isoformat(), definition=feature_set,
    )  # fmt: skip


def _refuse_other_version(latest: FeatureSet | None, wanted: FeatureSet, run: str) -> None:
    """Raise `FeatureError` for rows that make a new version: only a run goes on from the last."""
    if latest is None or evolve(latest, wanted).version == latest.version:
        return
    found = compare(latest, wanted)
    stored = [f.name for f in latest.features if f.name in (*found.removed, *found.retyped)]
    if stored and not found.rekeyed:
        how = "without" if stored[0] in found.removed else "with another type of"
        raise FeatureError(
            f"run '{run}' accepted rows {how} '{stored[0]}', which version {latest.version} of the "
            "feature set has; take a later run, or run the machine first"
        )
    raise FeatureError(
        f"the deployed contract makes a new version of the feature set ({found.sentences[0]}); run "
        "the machine first, which takes over what is stored and when it came"
    )


def _kept(asked: EventRange, problem: Problem, latest: datetime | None) -> EventRange:
    """The range, as far back as the contract's retention keeps rows before the latest run."""
    retention = problem.features.retention
    if retention is None or latest is None or latest - retention <= asked.start:
        return asked
    oldest = latest - retention
    if oldest >= asked.end:
        raise FeatureError(
            f"features.retention keeps rows from {oldest.isoformat()} on, and the range from "
            f"{asked} ends before; lengthen it, or give a later range"
        )
    return EventRange(oldest, asked.end)


def _refuse_contract(problem: Problem) -> None:
    """Raise `FeatureError` for a contract without a history of entities."""
    if problem.event_time is None:
        raise FeatureError(
            "the contract has no event_time, so its rows count as of their run and have no range "
            "to compute again; name event_time"
        )
    if not problem.entity_key or problem.quality.unique:
        raise FeatureError(
            "rows of this contract cannot be told apart by entity and event time, so nothing says "
            "which of them a backfill takes the place of; name entity_key, and leave "
            "quality.unique out"
        )
