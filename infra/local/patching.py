"""Replaced attributes of moto, put on when a cloud starts and taken off when it closes.

Other users of moto in the same process get it as it comes. Each service's `patches` says why
each replacement is there.
"""

from collections.abc import Callable
from typing import Any


class Patches:
    """Replaced attributes, in order, so that they can be put back."""

    def __init__(self) -> None:
        self.originals: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute by what `make` builds from the original."""
        original = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        self.originals.append((owner, name, original))
        bare = original.__func__ if isinstance(original, classmethod | staticmethod) else original
        setattr(owner, name, make(bare))

    def undo(self) -> None:
        """Put every original back."""
        for owner, name, original in reversed(self.originals):
            setattr(owner, name, original)
        self.originals.clear()
