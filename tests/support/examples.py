"""How many examples a property is tried on: few in `make test`, all in `make test-all`.

The same for simulations: how many tables an error rate is counted on.
"""

import os
from typing import Any

from hypothesis import settings

QUICK, FULL = "quick", "full"
# Hypothesis' own default: seconds, and enough for what breaks a common kind of value, such as a
# sign put behind the currency and lost. What breaks a rare one, such as one thousands separator
# among five, is left to tests that write it out and to `make test-all`.
QUICK_EXAMPLES = 100


def register_profiles() -> None:
    """The profiles that `--hypothesis-profile` chooses from; the quick one unless it does.

    New examples are for those who develop; whether a change lands must not hang on luck, nor on
    how busy the machine is, so that no example has a deadline.
    """
    for name in (QUICK, FULL):
        settings.register_profile(name, derandomize=bool(os.environ.get("CI")), deadline=None)
    settings.load_profile(QUICK)


def examples(count: int, *, quick: int = QUICK_EXAMPLES, **options: Any) -> settings:
    """Try `count` examples, or at most `quick` in the quick profile: fewer where each is slow."""
    return settings(max_examples=repeats(count, quick), **options)


def repeats(count: int, quick: int) -> int:
    """How often to repeat what goes by chance: `count` times, in the quick profile `quick`."""
    if settings.get_current_profile_name() == QUICK:
        return min(count, quick)
    return count


def most_by_chance(count: int, rate: float, chance: float) -> int:
    """How many of `count` there may be at an error rate: more have less than that chance."""
    from scipy import stats  # not imported by every worker

    return int(stats.binom.isf(chance, count, rate))
