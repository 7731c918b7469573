"""`noria local run`: one contract, one execution, in a throwaway local cloud."""

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.cli.files import Files, with_files
from infra.cli.local_session import LocalStack, Say, local_stacks
from infra.cli.run_records import RunRecord, save_report
from infra.local import Observer
from infra.settings import load_contract


@dataclass(frozen=True)
class LocalRun:
    """What one local run came to."""

    record: RunRecord
    prediction: dict[str, Any] | None
    report: Path | None
    seconds: float

    def to_json(self) -> str:
        """The one document of `--json`."""
        document = {
            "ending": self.record.ending,
            "decisions": self.record.decisions,
            "candidates": self.record.candidates,
            "champion": self.record.champion,
            "prediction": self.prediction,
            "report": str(self.report) if self.report else None,
            "seconds": round(self.seconds, 3),
        }
        return json.dumps(document)


def run_contract(
    contract: Path, files: Files, given: Mapping[str, Any], say: Say, observer: Observer | None
) -> LocalRun:
    """Deploy a contract, drop the files in, run one execution, ask the endpoint once."""
    problem = with_files(load_contract(contract), files)
    with tempfile.TemporaryDirectory(prefix="noria-run-") as folder:
        rewritten = Path(folder) / f"{problem.name}.yaml"
        rewritten.write_text(json.dumps(problem.to_document()), encoding="utf-8")
        with local_stacks([rewritten], say) as stacks:
            stack = stacks[problem.name]
            for source, paths in files.items():
                stack.drop(source, paths)
            say("running one execution")
            start = time.monotonic()
            record = stack.run(given, observer)
            seconds = time.monotonic() - start
            prediction = sample_prediction(stack, record)
            report = save_report(stack.bucket, problem.name, record.run_id)
            return LocalRun(record, prediction, report, seconds)


def sample_prediction(stack: LocalStack, record: RunRecord) -> dict[str, Any] | None:
    """One signed request over HTTP with a row that the champion did not learn from."""
    if record.champion is None:
        return None
    rows = stack.bucket.json(f"models/{record.champion['version']}/sample.json")
    if not rows:
        return None
    answer: dict[str, Any] = stack.access.endpoint().post("/predict", {"rows": rows[:1]})
    return {"request": rows[0], **_first(answer)}


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to the only row, with what is said of the whole request."""
    common = {name: value for name, value in answer.items() if name != "predictions"}
    return common | dict(answer["predictions"][0])
