"""What a backfill reads: the deployed contract, a run that stored rows, and its accepted rows."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from noria.aws.clients import client
from noria.aws.feature_store import Catalogue, Files, Manifest
from noria.aws.run_log import RunLog
from noria.aws.s3 import encode
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.feature_store.feature_set import DEFAULT_SET, FeatureSet
from noria.core.feature_store.row_mapping import select_feature_rows
from noria.core.feature_store.store_names import is_keyed_by, names_in
from noria.errors import FeatureError
from noria.feature_store.registry import FeatureRegistry
from noria.lifecycle.environment import StageEvent, parse_time
from noria.lifecycle.stage import Stage
from noria.materialization.run_features import Accepted


class DeployedStage(Stage):
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

    def reading(self, run: str, as_of: str) -> "DeployedStage":
        """The stage that reads a run's files, at that run's logical time."""
        event = StageEvent(
            state=self.event.state, execution=run, started_at=parse_time(as_of),
            input={"as_of": as_of},
        )  # fmt: skip
        return DeployedStage(event, self.environment)


def source_run(stage: DeployedStage, wanted: str | None) -> dict[str, str]:
    """The log's entry of the run whose accepted rows are taken; raises `FeatureError` for none.

    `wanted` names it, by default it is the latest that stored some.
    """
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


def _manifests(stage: DeployedStage) -> list[Manifest]:
    """What the versions of the deployed contract's set hold that name rows as it does."""
    key = stage.problem.entity_key
    files = Files(stage.store)
    registry = FeatureRegistry(files, Catalogue(client("glue"), stage.environment.database))
    return [
        files.current(one.table)
        for one in registry.feature_sets()
        if one.name == DEFAULT_SET and is_keyed_by(one, key)
    ]


def _is_usable(stage: DeployedStage, run: str, manifests: Sequence[Manifest]) -> bool:
    """Whether a run's accepted rows are there, and are those of the deployed contract's set.

    One that failed before it stored them would make rows that came late count as in time.
    """
    return etag_of(stage, run) is not None and any(one.share_of(run) for one in manifests)


def etag_of(stage: DeployedStage, run: str) -> str | None:
    """The ETag of a run's accepted rows, None where it has none."""
    found = stage.store.objects(f"clean/run={run}/rows.parquet")
    return found[0].etag if found else None


def rows_of(accepted: Accepted, previous: datetime | None = None) -> tuple[FeatureSet, str]:
    """What a run's accepted rows are under the deployed contract.

    `previous` is when the run before it was; without it all count as in time.
    """
    stage, problem = accepted.stage, accepted.problem
    dataset = Dataset.from_bytes(stage.dataset())
    types, target = accepted.with_target(dataset)
    needed = [*problem.entity_key, *filter(None, [problem.event_time_column])]
    missing = [name for name in needed if name not in types]
    if missing:
        raise FeatureError(
            f"run '{stage.event.execution}' accepted rows without '{missing[0]}', which the "
            "deployed contract names; run the machine first"
        )
    as_of, path = stage.event.as_of, str(accepted.path)
    definition = accepted.definition(types, dataset)
    names = names_in(definition)
    rows = select_feature_rows(types, problem, path, as_of, previous, target, names)
    return definition, rows
