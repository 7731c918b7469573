"""PlanBatch: which files are answered, and by which model."""

import hashlib
from collections.abc import Sequence
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any

from noria.aws.model_registry import Champion, Registry
from noria.aws.s3 import ListedObject, encode, key_of
from noria.batch.batch_step import BatchStep, Document
from noria.common.batch_keys import INCOMING, BatchKeys
from noria.core.ingestion.archives import is_clutter
from noria.errors import BatchError

NAME_LENGTH = 20  # hexadecimal digits


def plan(step: BatchStep) -> Document:
    """Write down the files and the champion of this moment, by which all of them are answered.

    The batch's name follows from the files' ETags, the model and the code: the same request goes on
    where an earlier one broke off, and other bytes or another model make another batch. Raises
    BatchError for an address that cannot be read, no files and no model.
    """
    source = _source(step)
    files = _files(_objects(step, source), source)
    champion = Registry(step.store).champion()
    if champion is None:
        raise BatchError("there is no model yet: the batch can be answered once a run promoted one")
    keys = BatchKeys(_name(step, champion, files))
    document = {
        "batch": keys.batch,
        "source": step.store.uri(source),
        "model_version": champion.version,
        "function_version": champion.function_version,
        "code_version": step.environment.code_version,
        "as_of": step.event.started_at.astimezone(UTC).isoformat(),
        "files": files,
    }
    # The first plan stays: histories are looked up as of one instant, however often it goes on.
    step.store.put_if_absent(keys.plan, encode(document))
    step.store.put_json(keys.files, [{"number": file["number"]} for file in files])
    done = step.store.get_json(keys.manifest, None) is not None
    return {"batch": keys.batch, "execution": step.event.execution, "files": keys.files,
            "count": len(files), "done": done}  # fmt: skip


def _source(step: BatchStep) -> str:
    given = step.event.input.get("source")
    place = step.store.uri(INCOMING)
    if not isinstance(given, str) or not given.startswith(place) or given == place:
        raise BatchError(
            f"source {given!r} is no file or folder below {place}: copy the files there, such as "
            f"by `aws s3 cp --recursive FOLDER {place}NAME/`"
        )
    return key_of(given)


def _objects(step: BatchStep, source: str) -> list[ListedObject]:
    """The one object of that key, or all below the folder of that name."""
    folder = f"{source.rstrip('/')}/"
    listed = step.store.objects(source)
    one = [item for item in listed if item.key == source and not source.endswith("/")]
    found = one or [item for item in listed if item.key.startswith(folder) and item.key != folder]
    files = [item for item in found if not is_clutter(item.key.removeprefix(folder))]
    if not files:
        raise BatchError(
            f"there is no file at {step.store.uri(source)}: put CSV, Parquet, JSON or Excel files "
            "there"
        )
    return files


def _files(objects: Sequence[ListedObject], source: str) -> list[dict[str, Any]]:
    folder = f"{source.rstrip('/')}/"
    return [
        {
            "number": number,
            "name": item.key.removeprefix(folder)
            if item.key.startswith(folder)
            else PurePosixPath(item.key).name,
            "key": item.key,
            "etag": item.etag,
            "bytes": item.size,
        }
        for number, item in enumerate(objects)
    ]


def _name(step: BatchStep, champion: Champion, files: Sequence[Document]) -> str:
    identity = [champion.version, step.environment.code_version, files]
    return hashlib.sha256(encode(identity)).hexdigest()[:NAME_LENGTH]
