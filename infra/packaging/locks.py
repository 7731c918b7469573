"""One builder at a time: whoever comes while something is being built waits, and then finds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[2] / ".noria" / "locks"


@contextmanager
def building(target: Path) -> Iterator[None]:
    """Hold a target's lock; it is the kernel's, so that it ends with its process however that ends.

    Locks lie apart from what is built: a listing of built things shows built things.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
