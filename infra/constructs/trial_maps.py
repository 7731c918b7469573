"""A rung's trials, a function each: in the run's own execution, or many in executions of their own.

ProposeTrials says which in `$.search`. Either way what comes of a trial is in the bucket, and the
state carries none of it: JudgeTrials reads it there.
"""

from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.listed_items import ListedItems
from infra.constructs.stages import RUNS, Stages
from infra.constructs.state_machines import SIDE_BY_SIDE, StateKinds
from infra.constructs.storage import Storage

# A child names itself in $$.Execution, so the run is named by what ProposeTrials said.
SELECTED = {
    "state.$": "$$.State.Name",
    "execution.$": "$.search.execution",
    "started_at.$": "$.search.started_at",
    "item.$": "$$.Map.Item.Value",
    "input.$": "$",
}
ITS_OWN = {name: f"$.{name.removesuffix('.$')}" for name in SELECTED}
FAILURE = "$.failure"


class TrialMaps(StateKinds):
    """The two maps over a rung's trials, `few` and `many`.

    A trial whose function fails costs the others nothing: its failure is written down in its place.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stages: Stages, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id, stages=stages)
        shared: Any = {
            "item_selector": SELECTED,
            "max_concurrency": SIDE_BY_SIDE,
            "result_path": sfn.JsonPath.DISCARD,
        }
        self.few = sfn.Map(self, "ExploreModels", items_path="$.search.trials", **shared)
        self.few.item_processor(self._trial("ExploreModels", "Trial"))
        files = storage.objects(f"{RUNS}*/trials/")
        self.many = sfn.DistributedMap(
            self,
            "ExploreManyModels",
            label="Trial",
            item_reader=ListedItems(storage.bucket, "$.search.key", files),
            # Express executions end after five minutes, a trial may take fifteen.
            map_execution_type=sfn.StateMachineType.STANDARD,
            tolerated_failure_percentage=100,
            **shared,
        )
        self.many.item_processor(self._trial("ExploreManyModels", "TrialOfMany"))

    def _trial(self, name: str, kind: str) -> tasks.LambdaInvoke:
        """A trial's states; the names of all states of a machine differ."""
        explore = self._invoke(f"{name}Item", "explore", payload=ITS_OWN)
        failed = self._invoke(
            f"{kind}Failed", "search_trials", payload=ITS_OWN | {"failure.$": FAILURE}
        )
        # Its output is empty: those of thousands would exceed what a state may hold.
        recorded = sfn.Succeed(self, f"{kind}Recorded", output_path=sfn.JsonPath.DISCARD)
        explore.add_catch(failed, errors=["States.ALL"], result_path=FAILURE)
        failed.add_catch(recorded, errors=["States.ALL"])
        failed.next(recorded)
        explore.next(recorded)
        return explore
