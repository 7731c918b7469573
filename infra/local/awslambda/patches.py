"""Where moto's Lambda answers differently from AWS, and where it is told what runs a function."""

import copy
from typing import Any

from infra.local.awslambda import revisions
from infra.local.awslambda.async_invocations import AsyncInvocations
from infra.local.awslambda.environment import check_variables
from infra.local.awslambda.invoke_api import InvokeApi
from infra.local.patching import Patches


def patch(patches: Patches, invoke_api: InvokeApi, queue: AsyncInvocations) -> None:
    """Run functions in our workers, number versions and refuse environments as AWS does."""
    from moto.awslambda import models, responses

    _invoke_in_workers(patches, models, invoke_api)
    _read_qualifier(patches)
    _queue_direct_calls(patches, models, queue)
    _number_versions(patches, models)
    _limit_variables(patches, models)
    _keep_routed_versions(patches, models)
    revisions.patch(patches, models, responses)


def _invoke_in_workers(patches: Patches, models: Any, invoke_api: InvokeApi) -> None:
    # moto runs functions in Docker, or answers a fixed text: run them in our workers instead.
    def invoke(self: Any, function_name: str, qualifier: str | None, body: Any,
               headers: Any, response_headers: Any) -> bytes:  # fmt: skip
        return invoke_api.invoke(self, function_name, qualifier, body, headers, response_headers)

    patches.put(models.LambdaBackend, "invoke", lambda _: invoke)


def _read_qualifier(patches: Patches) -> None:
    # Invoke names a version as `Qualifier`; moto looks for `qualifier`, and runs the latest code.
    from moto.awslambda import responses

    def invoke(original: Any) -> Any:
        def call(self: Any) -> Any:
            given = self.querystring.get("Qualifier")
            if given:
                self.querystring["qualifier"] = given
            return original(self)

        return call

    patches.put(responses.LambdaResponse, "invoke", invoke)


def _queue_direct_calls(patches: Patches, models: Any, queue: AsyncInvocations) -> None:
    # SNS, SQS and log subscriptions call the function object itself, always asynchronously.
    def invoke_function(self: Any, body: str, request_headers: Any, response_headers: Any) -> str:
        del request_headers, response_headers
        backend = models.lambda_backends[self.account_id][self.region]
        queue.put(backend, self.function_arn, None, body.encode())
        return ""

    patches.put(models.LambdaFunction, "invoke", lambda _: invoke_function)


def _number_versions(patches: Patches, models: Any) -> None:
    # moto numbers a version by how many are left (a deleted version's number would come back),
    # shares the mutable code mapping between versions, and forgets, at the first publication,
    # that nothing has changed since.
    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        latest = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        versions = self._functions[latest.function_name]["versions"]
        if versions and not latest.code_or_config_updated:
            return versions[-1]
        latest.code_or_config_updated = False
        latest.published = getattr(latest, "published", 0) + 1
        version = copy.copy(latest)
        version.code = dict(latest.code)
        version.set_version(latest.published)
        version.description = description or latest.description
        revisions.renew(version)
        versions.append(version)
        self._arns[version.function_arn] = version
        return version

    patches.put(models.LambdaStorage, "publish_version", lambda _: publish_version)


def _keep_routed_versions(patches: Patches, models: Any) -> None:
    # moto deletes a version that an alias sends traffic to, and the alias with it.
    def delete(original: Any) -> Any:
        def delete_function(self: Any, function_name: str, qualifier: str | None = None) -> None:
            from moto.awslambda.exceptions import LambdaClientError

            aliases = self.list_aliases(function_name) if qualifier else []
            if any(qualifier in _routed(alias) for alias in aliases):
                refused = LambdaClientError(
                    "ResourceConflictException",
                    f"Unable to delete version {qualifier} because aliases reference it",
                )
                refused.code = 409
                raise refused
            original(self, function_name, qualifier)

        return delete_function

    patches.put(models.LambdaBackend, "delete_function", delete)


def _routed(alias: Any) -> set[str]:
    shares = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    return {str(alias.function_version), *map(str, shares)}


def _limit_variables(patches: Patches, models: Any) -> None:
    def create(original: Any) -> Any:
        def create_function(self: Any, spec: Any) -> Any:
            check_variables(spec)
            return original(self, spec)

        return create_function

    def update(original: Any) -> Any:
        def update_function(self: Any, function_name: str, qualifier: Any, body: Any) -> Any:
            check_variables(body)
            return original(self, function_name, qualifier, body)

        return update_function

    patches.put(models.LambdaBackend, "create_function", create)
    patches.put(models.LambdaBackend, "update_function_configuration", update)
