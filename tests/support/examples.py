"""How many examples a property is tried on: few in `make test`, all in `make test-all`."""

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


def examples(count: int, **options: Any) -> settings:
    """Try `count` examples, or in the quick profile at most a few, however long each takes."""
    if settings.get_current_profile_name() == QUICK:
        count = min(count, QUICK_EXAMPLES)
    return settings(max_examples=count, **options)
