"""Which model each version of the endpoint serves that follows the champion: decided once, in S3.

A function that is deleted and made anew counts its versions from 1 again. So a pin lies below the
name of its function and the identity of the stack that made it.
"""

import json

from noria.aws.s3 import MissingObjectError, Store

PINS = "registry/served/"


class VersionPins:
    """The pins of one function's versions."""

    def __init__(self, store: Store, function: str, stack_id: str) -> None:
        self._store = store
        self._prefix = f"{PINS}{function}/{stack_id or 'no-stack'}/"

    def key(self, version: str) -> str:
        """The object that says which model a version serves."""
        return f"{self._prefix}{version}.json"

    def model_of(self, version: str) -> str | None:
        """The model that a version serves, or None where nobody has asked it yet."""
        found = self._store.get_json(self.key(version), None)
        return None if found is None else str(found["model_version"])

    def pin(self, version: str, model: str) -> str:
        """Let a version serve a model unless it serves one already; returns what it serves.

        Two processes of one version may start at once: whichever wrote first decides for both.
        """
        key = self.key(version)
        try:
            self._store.put_if_absent(key, json.dumps({"model_version": model}).encode())
            return str(self._store.get_json(key)["model_version"])
        except MissingObjectError:  # deleted in between, with a version that is old
            return model

    def forget(self, version: str) -> None:
        """Delete the pin of a version that is deleted; repeating it changes nothing."""
        self._store.delete(self.key(version))
