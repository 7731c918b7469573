"""AWS Secrets Manager: the one call that sources make."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from noria.errors import SourceError

Secrets = Callable[[str], dict[str, Any]]


def read_secret(client: Any, name: str) -> dict[str, Any]:
    """Read a secret that is a JSON object; raises `SourceError`, never with its content."""
    try:
        answer = client.get_secret_value(SecretId=name)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise SourceError(
            f"secret '{name}' cannot be read ({code}): create it in Secrets Manager in the "
            "stack's region, under the name that the deployed contract gives"
        ) from error
    try:
        document = json.loads(answer.get("SecretString") or "")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SourceError(f"secret '{name}' is not a JSON object; store it as one")
    return document
