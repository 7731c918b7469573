"""One thing, one name: a class name says which thing is meant, wherever it stands."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_no_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for folder in ("layers", "functions", "infra"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in _classes(path):
                places[name].append(str(path.relative_to(ROOT)))
    assert {"Store", "Problem", "Dataset"} <= set(places)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
