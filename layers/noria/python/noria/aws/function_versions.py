"""AWS Lambda: one version of a function, asked directly."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Invoked:
    """What an invocation gave: a document, or why no code answered."""

    document: dict[str, Any]
    error: str = ""


class FunctionVersions:
    """A function by its versions' numbers, never by its alias."""

    def __init__(self, client: Any, function: str) -> None:
        self._client, self._function = client, function

    def invoke(self, version: str, event: dict[str, Any]) -> Invoked:
        """Ask a version and wait for its answer; an error of its own is no exception here."""
        answer = self._client.invoke(
            FunctionName=self._function, Qualifier=version, Payload=json.dumps(event).encode()
        )
        document = json.loads(answer["Payload"].read() or b"{}")
        if "FunctionError" in answer:
            return Invoked({}, str(document.get("errorMessage", answer["FunctionError"])))
        return Invoked(document)
