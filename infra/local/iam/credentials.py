"""Access keys: those that functions get under their roles, and whose a key is."""

from collections.abc import Mapping

from infra.local.iam.authorization import RoleAuthorizer


class AccessKeys:
    """The access keys of the account; `own_key` and its secret are those of its owner."""

    def __init__(
        self, *, account: str, region: str, own_key: str, own_secret: str,
        authorizer: RoleAuthorizer,
    ) -> None:  # fmt: skip
        self._account, self._region = account, region
        self._own_key, self._own_secret = own_key, own_secret
        self._authorizer = authorizer

    def assume_role(self, role_arn: str, function: str) -> dict[str, str]:
        """Give a function credentials of its role, as environment variables."""
        from moto.sts.models import sts_backends

        role = sts_backends[self._account]["aws"].assume_role(
            region_name=self._region, role_session_name=function[:64], role_arn=role_arn,
            policy="", duration=43_200, external_id="",
        )  # fmt: skip
        self._authorizer.grant(role.access_key_id, function, role_arn)
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }

    def secret_of(self, key: str, headers: Mapping[str, str]) -> str | None:
        """Find the secret of an access key, which may need the request's session token."""
        from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

        if key == self._own_key:
            return self._own_secret
        named = {"X-Amz-Security-Token": headers.get("x-amz-security-token", "")}
        try:
            found = create_access_key(self._account, "aws", key, named)
        except CreateAccessKeyFailure:
            return None
        secret: str = found.create_credentials().secret_key
        return secret

    def identity_of(self, key: str) -> str:
        """Give the ARN of the key's owner."""
        if key == self._own_key:
            return f"arn:aws:iam::{self._account}:root"
        from moto.iam.models import iam_backends

        found = iam_backends[self._account]["aws"].get_all_access_keys_for_all_users()
        users = [user.user_name for user in found if user.access_key_id == key]
        return f"arn:aws:iam::{self._account}:{f'user/{users[0]}' if users else 'role'}"
