"""Whether a request asks what drove its answers, and what they are compared with for that."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from noria.aws.model_registry import Registry
from noria.aws.s3 import Store
from noria.common.arrays import Array
from noria.common.messages import ascii_repr
from noria.core.model.answers import Answer
from noria.core.model.onnx_scoring import OnnxModel
from noria.errors import RequestError

if TYPE_CHECKING:  # imported where an answer is explained: most processes never do
    from noria.core.model.background_rows import BackgroundRows

EXPLAIN = "explain"
MEANT = {"true": True, "1": True, "": True, "false": False, "0": False}


def is_asked(query: str) -> bool:
    """Whether a query string says `explain=true`; of several the last counts. RequestError."""
    if EXPLAIN not in query:
        return False
    given = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == EXPLAIN]
    if not given:
        return False
    meant = MEANT.get(given[-1].lower())
    if meant is None:
        raise RequestError(f"explain is {ascii_repr(given[-1])}: send explain=true or leave it out")
    return meant


def background_of(version: str, store: Store) -> "BackgroundRows":
    """The rows that a version's answers are compared with.

    Raises RequestError where it has none, RegistryError where they were changed.
    """
    from noria.core.model.background_rows import BACKGROUND, BackgroundRows

    manifest = store.get_json(f"models/{version}/manifest.json")
    found = None
    if BACKGROUND in manifest["sha256"]:
        content = Registry(store).file(version, BACKGROUND)
        found = BackgroundRows.model_validate_json(content)
    if found is None or not found.rows:
        raise RequestError(
            f"answers of model version {version!r} cannot be explained: it was stored without rows "
            "to compare with; leave out explain=true, or train again"
        )
    return found


def with_explanations(
    answers: Sequence[Answer],
    model: OnnxModel,
    inputs: Mapping[str, Array],
    background: "BackgroundRows",
) -> list[Answer]:
    """Say beside each answer what drove it; `inputs` are the rows as the model took them.

    Raises RequestError for more rows than are explained at once.
    """
    from noria.core.model.explanation import explain

    told = explain(model, inputs, background)
    return [{**answer, "explanation": one} for answer, one in zip(answers, told, strict=True)]
