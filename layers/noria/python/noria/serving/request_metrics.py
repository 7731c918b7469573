"""A line of metrics for each answered request, in CloudWatch's embedded metric format.

Lambda's own `Errors` counts requests that no code answered, and no answer that says 5xx.
"""

import sys
import time
from collections.abc import Iterator
from itertools import count

from noria.common.request_metrics import (
    COLD_LATENCY,
    FAILED,
    LATENCY,
    REFUSED,
    REQUESTS,
    SUCCEEDED,
    VERSION,
)
from noria.serving import process

_CLASSES = {2: SUCCEEDED, 4: REFUSED, 5: FAILED}
_asked: Iterator[int] = count()


def record(status: int, seconds: float, before: str = "") -> None:
    """Count an answer of this process that took so long; the process's first one apart.

    Lines that are to be written `before` are, in one go: each write is a call of the system.
    """
    is_first = next(_asked) == 0
    namespace, version = process.namespace(), process.function_version()
    stamp = time.time_ns() // 1_000_000
    counted = line(status, seconds * 1000, namespace, version, stamp, is_first=is_first)
    sys.stdout.write(before + counted)


def line(
    status: int, milliseconds: float, namespace: str, version: str, stamp: int, *, is_first: bool
) -> str:
    """Write the line of one answer at a time (milliseconds since 1970).

    Its metrics are a version's; failures are also counted over all versions, for the alarm. It is
    put together by hand: names of stacks and versions need no escapes, and every request pays.
    """
    answered = _CLASSES.get(status // 100, SUCCEEDED)
    latency = COLD_LATENCY if is_first else LATENCY
    over_all = (
        f',{{"Namespace":"{namespace}","Dimensions":[[]],'
        f'"Metrics":[{{"Name":"{FAILED}","Unit":"Count"}}]}}'
        if answered == FAILED
        else ""
    )
    return (
        f'{{"_aws":{{"Timestamp":{stamp},"CloudWatchMetrics":['
        f'{{"Namespace":"{namespace}","Dimensions":[["{VERSION}"]],"Metrics":['
        f'{{"Name":"{REQUESTS}","Unit":"Count"}},{{"Name":"{answered}","Unit":"Count"}},'
        f'{{"Name":"{latency}","Unit":"Milliseconds"}}]}}{over_all}]}},'
        f'"{VERSION}":"{version}","{REQUESTS}":1,"{answered}":1,"{latency}":{milliseconds:.3f}}}\n'
    )
