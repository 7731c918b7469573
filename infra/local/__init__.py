"""The local cloud: a synthesized template deployed into moto and run for real."""

from infra.local.clock import Tick
from infra.local.cloud import Deployed, LocalCloud
from infra.local.cloudwatch.alarms import AlarmChange
from infra.local.errors import DeploymentError, LocalCloudError, UnsupportedTemplateError
from infra.local.stepfunctions.observed_states import ExecutionResult, Observer, StateEvent

__all__ = [
    "AlarmChange",
    "Deployed",
    "DeploymentError",
    "ExecutionResult",
    "LocalCloud",
    "LocalCloudError",
    "Observer",
    "StateEvent",
    "Tick",
    "UnsupportedTemplateError",
]
