"""The contract's rule as a model version: the same artifact, signature and answers as a model's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.expressions import Expression, parse
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.data.decimals import decimals_of
from noria.core.evaluation.baselines import rule_answer
from noria.core.model.signature import Signature
from noria.core.rule_model.onnx_graph import RuleGraph
from noria.core.rule_model.onnx_operations import RuleOperations
from noria.core.rule_model.scores import expected_scores, record_score
from noria.core.training.onnx_export import assemble
from noria.core.training.signatures import signature_of
from noria.errors import ContractError

RULE = "rule"
TOLERANCE = 1e-6  # answers closer than this are the same


@dataclass(frozen=True)
class RuleModel:
    """A rule made a model: the artifact, its signature, what it reads and should answer.

    `dataset` has only the columns that the rule reads. `scores` are the answers to all its rows,
    computed by the grammar itself. `differing` counts the rows to which the rule answered
    otherwise on the data as collected, before they were rounded to 32 bits and filled.
    """

    onnx: bytes
    signature: Signature
    dataset: Dataset
    scores: NDArray[np.float64]
    differing: int

    @property
    def holdout_scores(self) -> NDArray[np.float64]:
        """The answers to the holdout rows."""
        return np.asarray(self.scores[self.dataset.holdout])


def why_not_served(dataset: Dataset, problem: Problem) -> str | None:
    """Say why the rule cannot be served although it suffices, or None where it can."""
    try:
        rule_model(dataset, problem)
    except ContractError as error:
        return f"It is not served, although baseline.serve asks for it: {error}."
    return None


def rule_model(
    dataset: Dataset, problem: Problem, versions: Mapping[str, str] | None = None
) -> RuleModel:
    """Compile `baseline.rule` to an artifact that is served like a model's.

    A row with a missing value in a column that the rule reads is answered as the analysis does:
    the negative or the first class, or the mean target; so is an answer that is no finite number.
    ContractError where the rule cannot be served.
    """
    if problem.baseline.rule is None:
        raise ContractError("there is no rule to serve: write baseline.rule")
    rule = parse(problem.baseline.rule)
    if not rule.columns:
        raise ContractError(f"the rule {rule.text!r} cannot be served: it reads no column")
    read = _restricted(dataset, rule)
    doubles = [one.name for one in read.columns if one.double]
    singles = [name for name in read.names("number") if name not in doubles]
    decimals = {name: decimals_of(read.data[name]) for name in singles}
    operations = RuleOperations(doubles)
    graph = RuleGraph(rule, {one.name: one.kind for one in read.columns}, decimals, operations)
    score = record_score(graph.answer(), graph, operations, read)
    scores = expected_scores(rule, read, decimals)
    return RuleModel(
        onnx=assemble(operations, read.columns, score, len(dataset.classes)),
        signature=_signature(read.training, problem, rule, versions or {}),
        dataset=read,
        scores=scores,
        differing=_differing(scores, dataset),
    )


def _restricted(dataset: Dataset, rule: Expression) -> Dataset:
    columns = tuple(column for column in dataset.columns if column.name in rule.columns)
    data = {column.name: dataset.data[column.name] for column in columns}
    unread = {name: dataset.notation(name) for name in dataset.names() if name not in data}
    return replace(dataset, columns=columns, data=data, left_out={**unread, **dataset.left_out})


def _differing(scores: Array, dataset: Dataset) -> int:
    """Count the rows that the rule answers otherwise on the data as collected."""
    mean = 0.0 if dataset.classes else float(dataset.target.mean())
    collected = rule_answer(dataset, mean).get(RULE)
    if collected is None:
        return 0
    gaps = np.abs(scores - collected).reshape(len(scores), -1).max(axis=1)
    scale = np.maximum(np.abs(collected).reshape(len(scores), -1).max(axis=1), 1.0)
    return int(np.count_nonzero(gaps > TOLERANCE * scale))


def _signature(
    training: Dataset, problem: Problem, rule: Expression, versions: Mapping[str, str]
) -> Signature:
    """Describe the rule as a model is described; its statement says that a rule answers."""
    statement = f"{problem.statement.strip()} (Answered by the rule: {rule.text})"
    plain = signature_of(training, problem, RULE, RULE, versions)
    return plain.model_copy(update={"statement": statement, "iteration": 1})
