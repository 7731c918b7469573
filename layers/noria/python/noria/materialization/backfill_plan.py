"""What a backfill is to do: in which months, as which columns; and what it refuses to do."""

import hashlib
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from noria.aws.feature_store import Files
from noria.aws.s3 import encode
from noria.contracts import Problem
from noria.core.feature_store.feature_set import FeatureSet
from noria.core.feature_store.versioning import compare_versions, evolve
from noria.core.feature_store.write_sql import within_query
from noria.errors import FeatureError
from noria.materialization.backfill_source import DeployedStage, etag_of, rows_of, source_run
from noria.materialization.event_range import EventRange
from noria.materialization.run_features import open_accepted


class BackfillPlan(BaseModel):
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


def make_plan(
    stage: DeployedStage, asked: EventRange, wanted: str | None, *, replace: bool = False
) -> BackfillPlan:
    """Plan a backfill, or find it planned; raises `FeatureError` where there is nothing to do.

    `wanted` names the run whose accepted rows are taken, by default the latest that stored some.
    """
    _refuse_contract(stage.problem)
    run = source_run(stage, wanted)
    name = _name(stage, asked, run, replace)
    backfills = Files(stage.store).backfills
    found = backfills.read(name)
    if found is None:
        planned = _planned(stage, name, asked, run).model_copy(update={"replace": replace})
        found = backfills.write(name, planned.model_dump(mode="json"))
    return BackfillPlan.model_validate(found)


def _name(stage: DeployedStage, asked: EventRange, run: dict[str, str], replace: bool) -> str:
    """A name that follows from all that the rows follow from."""
    etag = etag_of(stage, run["run_id"])
    facts = [str(asked), run["run_id"], run["as_of"], etag, stage.basis, replace]
    digest = hashlib.sha256(encode(facts)).hexdigest()[:10]
    return f"backfill-{asked.start:%Y%m%d}-{asked.end:%Y%m%d}-{digest}"


def _planned(
    stage: DeployedStage, name: str, asked: EventRange, run: dict[str, str]
) -> BackfillPlan:
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
    return BackfillPlan(
        name=name, basis=stage.basis, run=run["run_id"], as_of=run["as_of"], parts=parts,
        start=kept.start.isoformat(), end=kept.end.isoformat(), definition=feature_set,
    )  # fmt: skip


def _refuse_other_version(latest: FeatureSet | None, wanted: FeatureSet, run: str) -> None:
    """Raise `FeatureError` for rows that make a new version: only a run goes on from the last."""
    if latest is None or evolve(latest, wanted).version == latest.version:
        return
    found = compare_versions(latest, wanted)
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
