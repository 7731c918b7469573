"""ScoreBatchPart: a part's rows through what answers the endpoint's requests, on the same layer."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from noria.aws.clients import client
from noria.aws.s3 import Store
from noria.batch.batch_step import BatchStep, Document
from noria.common.answer_limits import MOST_CLASSES
from noria.common.json_lines import read_lines, write_lines
from noria.core.model.row_outcomes import Outcome, Row, outcomes
from noria.lifecycle.environment import parse_time
from noria.lifecycle.stage_logging import note
from noria.serving import process, requests
from noria.serving.model_loader import ServedModel, load_version
from noria.serving.most_probable import most_probable
from noria.serving.online_features import with_history
from noria.serving.request_forms import MAXIMUM_ROWS


def score_part(step: BatchStep) -> Document:
    """Answer each row of a part or say why not, where that is not done; a request's rows at a time.

    Histories are looked up as of the plan's instant, where a row names no other.
    """
    key = step.keys.outcomes(step.number, step.part)
    if step.store.keys(key):
        return {"skipped": True}
    model = served_model(step.plan["model_version"], step.environment.bucket)
    answer = partial(_answers, model, parse_time(step.plan["as_of"]))
    rows = read_lines(step.store.get(step.keys.request_rows(step.number, step.part)))
    step.store.put(key, write_lines(_scored(rows, answer)))
    note(decision=model.version)
    return {"skipped": False}


@lru_cache(maxsize=1)
def served_model(version: str, bucket: str) -> ServedModel:
    """A model version of a stack; a function's process mostly answers parts of one batch."""
    return load_version(version, Store(client("s3"), bucket))


def _scored(rows: Iterable[Row], answer: Any) -> Iterator[Outcome]:
    lines = iter(rows)
    while some := list(islice(lines, MAXIMUM_ROWS)):
        yield from outcomes(some, answer)


def _answers(model: ServedModel, now: datetime, rows: Sequence[Row]) -> list[Outcome]:
    """Answer rows as `POST /predict` does; what raises RequestError there does here."""
    signature = model.signature
    requests.refuse_unanswerable(rows, signature)
    if signature.history is not None:
        table = process.online if process.has_history() else None
        rows = with_history(rows, signature.history, table, now)
    answers = model.answer(rows).as_dicts()
    if signature.task == "multiclass":
        answers = most_probable(answers, process.deployment().get("most_classes", MOST_CLASSES))
    return [*answers]
