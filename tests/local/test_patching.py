"""moto's internals still have the shape that our replacements rely on."""

import inspect
from typing import Any

from infra.local import LocalCloud


def _function(owner: Any, name: str) -> Any:
    found = owner.__dict__[name]
    return found.__func__ if isinstance(found, classmethod | staticmethod) else found


def test_replacements_take_the_arguments_of_what_they_replace(cloud: LocalCloud) -> None:
    compared = 0
    for owner, name, original in cloud._patches.originals:
        bare = original.__func__ if isinstance(original, classmethod | staticmethod) else original
        if not inspect.isfunction(bare):
            continue  # a module or a table of backends
        parameters = inspect.signature(bare).parameters.values()
        given = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        inspect.signature(_function(owner, name)).bind(*given)
        compared += 1
    assert compared > 20
