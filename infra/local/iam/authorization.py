"""What functions ask of AWS, and whether their roles allow it: enforced for S3, always recorded."""

import re
import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call that a function made under its role."""

    function: str
    role: str
    action: str  # such as s3:PutObject
    resource: str  # an ARN for S3, `*` for other services, whose moto handlers name none
    allowed: bool


class RoleAuthorizer:
    """Knows the credentials that functions were given, and judges and records their calls."""

    def __init__(self, *, enforce_s3: bool) -> None:
        self._enforce = enforce_s3
        self._owners: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def grant(self, access_key: str, function: str, role: str) -> None:
        """Remember whose credentials these are."""
        with self._lock:
            self._owners[access_key] = (function, role)

    def check(self, request: Any, iam_request: type[Any], resource: str) -> None:
        """Record a function's call; raise AccessDenied where S3 would refuse it to the role."""
        found = re.search(
            r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", request.headers.get("Authorization", "")
        )
        owner = self._owners.get(found.group(1)) if found else None
        if found is None or owner is None:
            return
        if not iam_request.__name__.startswith("S3"):
            action = request._get_action()
            name = action[0] if isinstance(action, list) else action
            self._record(owner, f"{found.group(2)}:{name}", resource, allowed=True)
            return
        judged = _judge(request, iam_request)
        allowed = True
        try:
            if self._enforce:
                allowed = False
                judged.check_action_permitted(resource)
                allowed = True
        finally:
            self._record(owner, judged._action, resource, allowed=allowed)

    def _record(self, owner: tuple[str, str], action: str, resource: str, *, allowed: bool) -> None:
        with self._lock:
            self.calls.append(Call(*owner, action, resource, allowed))


def _judge(request: Any, iam_request: type[Any]) -> Any:
    return iam_request(
        account_id=request.current_account,
        method=request.method,
        path=request.raw_path,
        data=request.data,
        body=b"",
        headers=request.headers,
        action=request._get_action(),
    )
