"""Looking up entities' latest features, beside Feast's DynamoDB online store."""

import tempfile

from rich.console import Console
from rich.table import Table

from tests.bench import feast_peer
from tests.bench.environments import python_of
from tests.bench.measuring import measure
from tests.bench.moto_process import moto

ENTITIES, LOOKUPS, KEYS = 1000, 100, ("1", "10", "100")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
NOTE = """\
Median milliseconds of {lookups} lookups of entities at random (five doubles each, {entities:,} in
the table), both against one moto server on this machine: much of it is moto's own time, none the
network's, so that the difference tells more than the ratio. Noria without pandas, as the endpoint
has none."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table."""
    python = python_of("feast")
    sizes = [str(ENTITIES), str(LOOKUPS), *KEYS]
    lines = {}
    with moto() as url, tempfile.TemporaryDirectory(prefix="noria-bench-") as home:
        ours = measure(["-m", "tests.bench.online", url, *sizes], variables=CREDENTIALS)
        lines["Noria"] = ours.found["milliseconds"]
        if python is not None:
            asked = [feast_peer.LOOKUP, home, url, *sizes]
            theirs = measure(asked, python, CREDENTIALS | feast_peer.SETTINGS)
            lines["Feast"] = theirs.found["milliseconds"]
    console.print(NOTE.format(lookups=LOOKUPS, entities=ENTITIES), highlight=False)
    table = Table("keys", *lines)
    for keys in KEYS:
        table.add_row(keys, *(f"{found[keys]:.1f} ms" for found in lines.values()))
    console.print(table)
