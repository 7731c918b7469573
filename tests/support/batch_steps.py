"""The batch machine's way through its functions, in one process; every call can be repeated."""

from typing import Any

from functions import batch_files, predict_batch
from noria.aws.s3 import Store

STARTED = "2026-11-24T00:00:00Z"
Json = dict[str, Any]


class BatchRun:
    """One execution over a source below `batch-incoming/`."""

    def __init__(self, store: Store, source: str, execution: str = "one", calls: int = 1) -> None:
        self._store, self._execution, self._calls = store, execution, calls
        self._source = f"s3://{store.bucket}/batch-incoming/{source}"
        self.answered = 0

    def plan(self) -> Json:
        """Which files by which model."""
        return self._call(batch_files, "PlanBatch", input={"source": self._source})

    def read(self, plan: Json) -> Json:
        """Read every file; returns what parts they have."""
        for item in self._store.get_json(plan["files"]):
            self._call(batch_files, "ReadBatchFile", item=self._of(plan, item))
        return self._call(batch_files, "ListBatchParts", input={"plan": plan})

    def answer(self, plan: Json, item: Json) -> None:
        """Answer one part."""
        self._call(predict_batch, "ScoreBatchPart", item=self._of(plan, item))
        self._call(batch_files, "WriteBatchPart", item=self._of(plan, item))

    def finish(self, plan: Json) -> Json:
        """What all of it came to."""
        return self._call(batch_files, "FinishBatch", input={"plan": plan})

    def to_end(self) -> Json:
        """All steps."""
        plan = self.plan()
        if not plan["done"]:
            for item in self._store.get_json(self.read(plan)["key"]):
                self.answer(plan, item)
        return self.finish(plan)

    def _of(self, plan: Json, item: Json) -> Json:
        return {"batch": plan["batch"], "execution": plan["execution"], "item": item}

    def _call(self, module: Any, state: str, **given: Any) -> Json:
        event = {"state": state, "execution": self._execution, "started_at": STARTED, **given}
        answers = [module.handler(event, None) for _ in range(self._calls)]
        return dict(answers[-1])
