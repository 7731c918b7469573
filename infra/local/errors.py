"""What can go wrong with the local cloud itself, as opposed to the code that runs in it."""

from dataclasses import dataclass

from noria.errors import NoriaError


class LocalCloudError(NoriaError):
    """The local cloud cannot do what was asked of it."""


class UnsupportedTemplateError(LocalCloudError):
    """The template uses something that the local cloud would not run as AWS does."""


class DeploymentError(LocalCloudError):
    """A resource of the stack could not be created."""


@dataclass(frozen=True)
class FailedDelivery:
    """A delivery or an asynchronous invocation that came to nothing."""

    target: str
    error: str
    message: str
