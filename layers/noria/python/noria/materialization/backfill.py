"""Backfill: the feature rows of a range of event times, computed again and published together.

A backfill is planned once, from a run's accepted rows and the deployed contract. Its parts are the
months of the range; each leaves a file and a document that describes it, and one that did is not
computed again. Then all files become visible by one move of the table's pointer.

It needs no lease. A run that writes meanwhile has its own file in the manifest, which the move
keeps: the pointer is compared and swapped, as by any two writers.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from noria.aws.feature_store import Entry, Files, Manifest, Share
from noria.aws.feature_store.backfills import run_of
from noria.core.feature_store.feature_set import FeatureSet
from noria.core.feature_store.new_rows_sql import filling_rows_query, replacing_rows_query
from noria.core.feature_store.write_sql import instant, within_query
from noria.errors import FeatureError
from noria.feature_store.duckdb_engine import News
from noria.feature_store.store import FeatureStore
from noria.lifecycle.environment import Environment, StageEvent, parse_time
from noria.lifecycle.stage_logging import note
from noria.materialization.backfill_plan import Plan, make_plan
from noria.materialization.backfill_source import Deployed, rows_of
from noria.materialization.event_range import EventRange
from noria.materialization.run_features import load_online, open_accepted, open_features

Document = dict[str, Any]


@dataclass(frozen=True)
class Backfiller:
    """One step of one execution of the backfill's machine."""

    event: StageEvent
    environment: Environment

    @cached_property
    def stage(self) -> Deployed:
        """The deployed contract and the stack's bucket."""
        return Deployed(self.event, self.environment)

    @cached_property
    def files(self) -> Files:
        """The feature store's files."""
        return Files(self.stage.store)

    def plan(self) -> Document:
        """Say which months there are to do."""
        given = self.event.input
        asked = EventRange.parse(str(given.get("from")), str(given.get("to")))
        replace = bool(given.get("replace", False))
        plan = make_plan(self.stage, asked, given.get("run"), replace=replace)
        return {"name": plan.name, "execution": self.event.execution, "parts": list(plan.parts)}

    def compute(self) -> Document:
        """Put one month's new rows into a file, where that is not done yet."""
        part = self.event.item["part"]
        note(run=self.event.item["execution"], item=part)
        plan = self._plan(self.event.item["name"])
        manifest = self.files.current(plan.definition.table)
        known = self.files.backfills.read(plan.name, part)
        done = known is not None and self._is_whole(known) and _is_current(known, manifest, plan)
        if done or manifest.share_of(run_of(plan.name, part)) is not None:
            return {"part": part, "skipped": True}
        computed = self._computed(plan, part)
        note(rows_in=computed.given, rows_out=computed.rows)
        share = computed.model_dump(mode="json")
        document = {"execution": self.event.item["execution"], "share": share,
                    "beside": manifest.backfills}  # fmt: skip
        kept = self.files.backfills.write(plan.name, document, part, instead=known is not None)
        if share.get("key") != kept["share"].get("key"):  # a second delivery was first
            self.files.supersede(filter(None, [share.get("key")]))
        return {"part": part, "skipped": False}

    def publish(self) -> Document:
        """Make every month's rows visible at once, also to the endpoint; says what came of it."""
        plan = self._plan(self.event.input["plan"]["name"])
        manifest = self.files.current(plan.definition.table)
        done = [self._done(plan, part, manifest) for part in plan.parts]
        shares = [_share(one["share"]) for one in done]
        with open_features(self.stage) as features:
            latest = _latest(features, plan)
            features.keeper.publish(latest, shares)
            if latest.windows:
                load_online(self.stage, features, latest, parse_time(plan.as_of))
        execution, rows = self.event.input["plan"]["execution"], sum(s.rows for s in shares)
        note(rows_out=rows)
        return {
            "backfill": plan.name, "run": plan.run, "table": plan.definition.table,
            "partitions": len(done), "rows": rows,
            "skipped": sum(one["execution"] != execution for one in done),
            "published": any(one["execution"] is not None for one in done),
        }  # fmt: skip

    def compact(self) -> list[Document]:
        """Merge the small files of every feature set, and clear up."""
        with open_features(self.stage) as features:
            found = [features.compact(one.name, one.version) for one in features.feature_sets()]
        return [
            {"table": one.table, "files_before": one.files[0], "files": one.files[1],
             "superseded": one.superseded}
            for one in found
        ]  # fmt: skip

    def failed(self, error: Exception) -> None:
        """Leave a month's failure where who started the backfill finds it."""
        if isinstance(self.event.item, dict):
            item = self.event.item
            self.files.backfills.fail(item["name"], item["part"], str(error))

    def _plan(self, name: str) -> Plan:
        found = self.files.backfills.read(name)
        if found is None:
            raise FeatureError(f"backfill '{name}' has no plan; start the backfill again")
        plan = Plan.model_validate(found)
        if plan.basis != self.stage.basis:
            raise FeatureError(
                f"contract or code were deployed anew since backfill '{name}' was planned; start "
                "it again, and all months are computed in the new way"
            )
        return plan

    def _computed(self, plan: Plan, part: str) -> Share:
        month = next(month for month in plan.range.months() if month.name == part)
        table = plan.definition.table
        with open_accepted(self.stage.reading(plan.run, plan.as_of)) as accepted:
            engine, beside = accepted.features.engine, accepted.features.beside(plan.definition)
            previous = None if plan.replace else instant(beside.previous(plan.run))
            _, relation = rows_of(accepted, previous)
            rows = f"({within_query(relation, month.start, month.end)})"
            _, given = engine.accept(plan.definition, rows)
            content, described = engine.make_file(plan.definition, beside.entries, _news(plan))
        share = Share(run=run_of(plan.name, part), given=given, rows=0, backfill=plan.name)
        if not described["rows"]:
            return share
        key = self.files.put(table, share.run, content)
        return Entry(**(share.model_dump() | described), key=key)

    def _done(self, plan: Plan, part: str, manifest: Manifest) -> Document:
        """A month's description; without an execution where it is published already."""
        share = manifest.share_of(run_of(plan.name, part))
        if share is not None:
            return {"execution": None, "share": share.model_dump(mode="json")}
        found = self.files.backfills.read(plan.name, part)
        if found is None or not self._is_whole(found):
            raise FeatureError(
                f"month {part} of backfill '{plan.name}' is not computed; start the backfill again"
            )
        if not _is_current(found, manifest, plan):
            raise FeatureError(
                f"another backfill was published since month {part} of '{plan.name}' was computed, "
                "which would undo it; start the backfill again"
            )
        return found

    def _is_whole(self, document: Document) -> bool:
        share = document["share"]
        return not share["rows"] or self.files.backfills.has_file(share["key"])


def _latest(features: FeatureStore, plan: Plan) -> FeatureSet:
    """The set as it is registered now; raises `FeatureError` where a run made a new version."""
    latest = features.feature_set(plan.definition.name)
    if latest.version != plan.definition.version:
        raise FeatureError(
            f"a run made version {latest.version} of the feature set since backfill '{plan.name}' "
            "was computed; start it again with that run's rows"
        )
    return latest


def _news(plan: Plan) -> News:
    """What of the computed rows is stored: what fills gaps, or all that differs."""
    if not plan.replace:
        return filling_rows_query
    return partial(replacing_rows_query, settled=parse_time(plan.as_of))


def _is_current(document: Document, manifest: Manifest, plan: Plan) -> bool:
    """Whether no other backfill was published since a month was computed beside what was there."""
    return set(manifest.backfills) - {plan.name} <= set(document.get("beside", ()))


def _share(document: Document) -> Share:
    return (Entry if "key" in document else Share).model_validate(document)
