"""`noria features compact`: small files of the feature store become few."""

import json
import time
from typing import Any

from infra.cli.options import AsJson, Local, StackName
from noria.common.messages import counted
from noria.errors import FeatureError

LONGEST_CALL = 900  # seconds, of a function


def compact(
    stack: StackName,
    as_json: AsJson = False,
    local: Local = None,
) -> None:
    """Merge the small files of every feature set, and mark what no reader needs for deletion."""
    from infra.cli.deployed_stack import StackAccess

    found = _compacted(StackAccess.open(stack, local=local))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(sentence(one))
    if not found:
        print(f"stack '{stack}' has no feature set yet: nothing to do")


def sentence(one: dict[str, Any]) -> str:
    """What was done to one set."""
    files = counted(one["files"], "file")
    if one["files"] == one["files_before"] and not one["superseded"]:
        return f"{one['table']}: nothing to do; it has {files}"
    before = counted(one["files_before"], "file")
    given_up = counted(one["superseded"], "object")
    are = "is" if one["files_before"] == 1 else "are"
    return f"{one['table']}: {before} {are} {one['files']:,} now; {given_up} will be deleted"


def _compacted(access: Any) -> list[dict[str, Any]]:
    from botocore.config import Config

    patient = Config(read_timeout=LONGEST_CALL, retries={"total_max_attempts": 1})
    function = access.session.client("lambda", endpoint_url=access.endpoint_url, config=patient)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"state": "CompactFeatures", "execution": "compact", "started_at": now}
    answer = function.invoke(
        FunctionName=access.output("BackfillFunctionName"), Payload=json.dumps(event)
    )
    found: Any = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise FeatureError(f"{found.get('errorType')}: {found.get('errorMessage')}")
    return list(found)
