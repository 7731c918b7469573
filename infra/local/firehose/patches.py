"""Where moto's Firehose answers differently from AWS."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from infra.local.patching import Patches


def patch(patches: Patches, now: Callable[[], datetime]) -> None:
    """Write objects under the prefix that AWS would make at the local clock's time."""
    from moto.firehose import models

    # moto appends /YYYY/MM/DD/HH even to a prefix that says itself where the time goes.
    def path(stream: str, version: str, prefix: str) -> str:
        return f"{object_prefix(prefix, now())}{_object_name(stream, version)}"

    patches.put(models.FirehoseBackend, "_format_s3_object_path", lambda _: staticmethod(path))


def _object_name(stream: str, version: str) -> str:
    return f"{stream}-{version}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"


_JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def object_prefix(prefix: str, at: datetime) -> str:
    """Resolve `!{timestamp:...}` as Firehose does; without any, it appends YYYY/MM/dd/HH/."""
    if "!{timestamp:" not in prefix:
        return f"{prefix}{at:%Y/%m/%d/%H}/"

    def resolve(match: re.Match[str]) -> str:
        # 'quoted' parts are literal, letters are Java date fields
        parts = re.split(r"'([^']*)'", match.group(1))
        return "".join(
            part if index % 2 else re.sub(
                "|".join(_JAVA_DATE), lambda m: at.strftime(_JAVA_DATE[m.group()]), part
            )
            for index, part in enumerate(parts)
        )  # fmt: skip

    return re.sub(r"!\{timestamp:([^}]*)\}", resolve, prefix)
