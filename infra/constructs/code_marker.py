"""What marks the code of the endpoint's versions, so that no two that differ look alike."""

from infra.constructs.stages import Row
from infra.packaging.assets import digest_of, layer_source_key


def code_marker(code: str, row: Row) -> str:
    """Name what a version of a function runs by: its code, its layer and its size.

    CloudFormation sends a function's variables only where they change in the template. A variable
    that changes with anything else has them sent along, so that a version which a deployment
    publishes serves the champion, whatever the function was left to say.
    """
    size = (row.memory, row.timeout, row.disk)
    return digest_of(code, layer_source_key(row.layer), *map(str, size))[:12]
