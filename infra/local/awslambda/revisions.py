"""Revisions of functions and aliases: a change that names another than the latest is refused."""

import json
import uuid
from typing import Any
from urllib.parse import unquote

from infra.local.patching import Patches


def patch(patches: Patches, models: Any, responses: Any) -> None:
    """Number revisions, which moto does not, and refuse a change that was decided on an old one."""
    backend, answers = models.LambdaBackend, responses.LambdaResponse
    patches.put(models.LambdaFunction, "get_configuration", _told)
    for change in ("update_function_configuration", "update_function_code"):
        patches.put(backend, change, _checked_change)
    patches.put(answers, "publish_version", _checked_publication)
    patches.put(answers, "update_alias", _checked_move)


def revision_of(owner: Any) -> str:
    """The revision of a function, a version or an alias as it stands."""
    found: str = vars(owner).setdefault("revision_id", str(uuid.uuid4()))
    return found


def renew(owner: Any) -> None:
    """Begin another revision."""
    owner.revision_id = str(uuid.uuid4())


def _told(original: Any) -> Any:
    def get_configuration(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**original(self, *args, **kwargs), "RevisionId": revision_of(self)}

    return get_configuration


def _checked_change(original: Any) -> Any:
    def change(self: Any, function_name: str, qualifier: Any, body: dict[str, Any]) -> Any:
        function = self.get_function(function_name, qualifier)
        _check(function, body.get("RevisionId"))
        renew(function)
        return original(self, function_name, qualifier, body)

    return change


def _checked_publication(original: Any) -> Any:
    def publish_version(self: Any) -> Any:
        name = unquote(self.path.split("/")[-2])
        _check(self.backend.get_function(name), self._get_param("RevisionId"))
        return original(self)

    return publish_version


def _checked_move(original: Any) -> Any:
    def update_alias(self: Any) -> Any:
        *_, function, _, alias = map(unquote, self.path.split("/"))
        found = self.backend.get_alias(alias, function)
        _check(found, json.loads(self.body).get("RevisionId"))
        renew(found)
        return original(self)

    return update_alias


def _check(owner: Any, wanted: str | None) -> None:
    from moto.awslambda.exceptions import LambdaClientError

    if wanted and wanted != revision_of(owner):
        refused = LambdaClientError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
        )
        refused.code = 412
        raise refused
