"""Where moto's authorization answers differently from AWS."""

from infra.local.iam.authorization import RoleAuthorizer
from infra.local.patching import Patches


def patch(patches: Patches, authorizer: RoleAuthorizer) -> None:
    """Judge the calls that functions make, under their roles."""
    from moto.core.authorization import ActionAuthenticatorMixin

    # moto switches IAM on for every service or for none, and judges resources right for S3 only:
    # calls that functions make to S3 are judged under their role, all others are recorded.
    def authorize(self: object, iam_request_cls: type, resource: str = "*") -> None:
        authorizer.check(self, iam_request_cls, resource)

    patches.put(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", lambda _: authorize)
