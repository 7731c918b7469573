"""AWS Lambda: a version of the endpoint per model, behind one alias."""

from typing import Any

from botocore.exceptions import WaiterError

from noria.errors import RegistryError

POLL_SECONDS = 1
MODEL_VARIABLE = "NORIA_MODEL"


class EndpointFunction:
    """The endpoint's function and its alias; every call can be repeated."""

    def __init__(self, client: Any, function: str, alias: str) -> None:
        self._client = client
        self._function = function
        self._alias = alias

    def live_version(self) -> str:
        """The function version that the alias sends most traffic to."""
        answer = self._client.get_alias(FunctionName=self._function, Name=self._alias)
        return str(answer["FunctionVersion"])

    def publish(self, model: str, patience: float = 60) -> str:
        """Publish a version that serves `model` for ever; returns its number.

        The newest version is reused when it already serves that model with the same code.
        """
        configuration = self._client.get_function_configuration(FunctionName=self._function)
        variables = dict(configuration.get("Environment", {}).get("Variables", {}))
        if variables.get(MODEL_VARIABLE) != model:
            variables[MODEL_VARIABLE] = model
            self._client.update_function_configuration(
                FunctionName=self._function, Environment={"Variables": variables}
            )
            self._await_update(patience)
        answer = self._client.publish_version(
            FunctionName=self._function, Description=f"model {model}"[:256]
        )
        return str(answer["Version"])

    def shift(self, version: str, share: float) -> None:
        """Send a share of live traffic to a version."""
        self._client.update_alias(
            FunctionName=self._function,
            Name=self._alias,
            RoutingConfig={"AdditionalVersionWeights": {version: share}},
        )

    def point_to(self, version: str) -> None:
        """Send all live traffic to a version."""
        self._client.update_alias(
            FunctionName=self._function,
            Name=self._alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": {}},
        )

    def _await_update(self, patience: float) -> None:
        attempts = max(1, round(patience / POLL_SECONDS))
        try:
            self._client.get_waiter("function_updated").wait(
                FunctionName=self._function,
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": attempts},
            )
        except WaiterError as error:
            raise RegistryError(
                f"the endpoint '{self._function}' was still updating after {patience:g} s; "
                "look at its LastUpdateStatusReason in the Lambda console"
            ) from error
