"""The variable that marks a version's code changes with everything that a version runs by."""

from dataclasses import replace

from infra.constructs.code_marker import code_marker
from infra.constructs.stages import ENDPOINT


def test_each_change_has_a_mark_of_its_own() -> None:
    marks = [
        code_marker("code", ENDPOINT),
        code_marker("other code", ENDPOINT),
        code_marker("code", replace(ENDPOINT, layer="data")),
        code_marker("code", replace(ENDPOINT, memory=ENDPOINT.memory + 1)),
        code_marker("code", replace(ENDPOINT, timeout=ENDPOINT.timeout + 1)),
        code_marker("code", replace(ENDPOINT, disk=1024)),
    ]
    assert len(set(marks)) == len(marks)
    assert code_marker("code", ENDPOINT) == marks[0]
