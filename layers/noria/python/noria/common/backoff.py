"""Waiting between attempts: exponential backoff with full jitter.

Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog (2015): with full jitter
those who were refused together do not come back together.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """`for attempt in Backoff(...)` pauses before each attempt but the first.

    `first` and `longest` bound the pauses in seconds: up to `first`, then up to twice as much each
    time. `sleep` takes seconds, `chance` gives numbers from 0 to 1.
    """

    attempts: int
    first: float
    longest: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def __iter__(self) -> Iterator[int]:
        """Number the attempts from 0."""
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(self.chance() * min(self.longest, self.first * 2 ** (attempt - 1)))
            yield attempt
