"""The batch machine: files are split into parts, each is answered, and a manifest comes last."""

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.listed_items import ListedItems
from infra.constructs.stages import Stages
from infra.constructs.state_machines import CONTEXT, SIDE_BY_SIDE, StateKinds, standard_machine
from infra.constructs.storage import Storage
from noria.common.batch_keys import WORK

OF_ITEM = CONTEXT | {"item.$": "$"}


class BatchMachine(StateKinds):
    """The state machine over the functions `batch_files` and `predict_batch`.

    A file or a part whose function fails costs the others nothing. FinishBatch tells it, and the
    next execution goes on from what is there.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stages: Stages, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id, stages=stages)
        self._storage = storage
        plan = self._task("PlanBatch", "batch_files", result="$.plan")
        listed = self._task("ListBatchParts", "batch_files", result="$.parts")
        finish = self._ending("FinishBatch", "batch_files")
        read = self._map("ReadBatchFiles", "$.plan.files", "BatchFile")
        read.item_processor(self._last("ReadBatchFile"))
        answer = self._map("AnswerBatchParts", "$.parts.key", "BatchPart")
        score = self._invoke("ScoreBatchPart", "predict_batch", payload=OF_ITEM,
                             result_path=sfn.JsonPath.DISCARD)  # fmt: skip
        score.next(self._last("WriteBatchPart"))
        answer.item_processor(score)

        plan.next(self._choice("BatchDone", "$.plan.done", {True: finish}, read))
        read.next(listed)
        listed.next(answer)
        answer.next(finish)
        self.machine = standard_machine(self, plan, timeout=cdk.Duration.days(2), suffix="-batch")

    def _last(self, name: str) -> tasks.LambdaInvoke:
        """A child's last state; its output is empty: thousands would exceed what a state holds."""
        nothing = sfn.JsonPath.DISCARD
        return self._invoke(
            name, "batch_files", payload=OF_ITEM, result_path=nothing, output_path=nothing
        )

    def _map(self, name: str, items: str, label: str) -> sfn.DistributedMap:
        """Each item in an execution of its own; what comes of them is in the bucket."""
        return sfn.DistributedMap(
            self,
            name,
            label=label,
            item_reader=ListedItems(self._storage.bucket, items, self._storage.objects(WORK)),
            item_selector={
                "batch.$": "$.plan.batch",
                "execution.$": "$.plan.execution",
                "item.$": "$$.Map.Item.Value",
            },
            max_concurrency=SIDE_BY_SIDE,
            tolerated_failure_percentage=100,
            map_execution_type=sfn.StateMachineType.STANDARD,
            result_path=sfn.JsonPath.DISCARD,
        )
