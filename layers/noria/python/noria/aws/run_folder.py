"""A run's own folder in S3: its contract, verdicts, ending; and the log of all runs."""

from typing import Any

from noria.aws.s3 import Store, encode
from noria.common.run_documents import in_order, last_of_each


class RunFolder:
    """Everything that one execution records about itself, below ``runs/<run_id>/``."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.store = store
        self.run_id = run_id

    def key(self, name: str) -> str:
        """The key of a file of this run."""
        return f"runs/{self.run_id}/{name}"

    def iteration_key(self, iteration: int, name: str) -> str:
        """The key of a file of one iteration of the feature-engineering loop."""
        return self.key(f"iteration={iteration}/{name}")

    def record_verdict(self, state: str, iteration: int, verdict: dict[str, Any]) -> dict[str, Any]:
        """Store a state's verdict and hand it back."""
        entry = {"state": state, "iteration": iteration, **verdict}
        self.store.put_json(self.key(f"verdicts/{iteration:02d}-{state}.json"), entry)
        return verdict

    def verdicts(self) -> list[dict[str, Any]]:
        """The verdicts so far, in the order in which they were made."""
        objects = self.store.keys(self.key("verdicts/"))
        return in_order([self.store.get_json(key) for key in objects])

    def experiments(self) -> list[dict[str, Any]]:
        """What came of every recipe with every candidate that this run tried."""
        keys = [key for key in self.store.keys(self.key("iteration=")) if "/explore/" in key]
        return last_of_each(self.store.get_all_json(keys))

    def finish(self, ending: dict[str, Any]) -> bool:
        """Record the ending once; a repeated delivery keeps the first."""
        return self.store.put_if_absent(self.key("ending.json"), encode(ending))

    def ending(self) -> dict[str, Any] | None:
        """The recorded ending, or None while there is none."""
        found: dict[str, Any] | None = self.store.get_json(self.key("ending.json"), None)
        return found
