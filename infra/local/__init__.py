"""The local cloud: a synthesized template deployed into moto and run for real."""

from infra.local.cloud import Deployed, LocalCloud
from infra.local.errors import DeploymentError, LocalCloudError, UnsupportedTemplateError
from infra.local.machines import ExecutionResult, Observer, StateEvent
from infra.local.watch import AlarmChange, Tick

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
