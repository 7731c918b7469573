"""Where a database is and who asks, from a secret."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noria.errors import SourceError


@dataclass(frozen=True)
class DatabaseAccess:
    """Where a database is and who asks; the keys are those of secrets that AWS makes for RDS."""

    host: str
    port: int
    user: str
    password: str
    database: str
    tls: ssl.SSLContext | None
    timeout: float  # seconds, of a statement

    def place(self, engine: str) -> str:
        """Where it is, as an address without the user."""
        return f"{engine}://{self.host}:{self.port}/{self.database}"

    @classmethod
    def of(
        cls, secret: Mapping[str, Any], name: str, port: int, timeout: float
    ) -> "DatabaseAccess":
        """Read a secret's document; raises `SourceError` naming what it lacks."""
        missing = [key for key in ("host", "username", "password") if not secret.get(key)]
        if missing:
            raise SourceError(f"secret '{name}' lacks {', '.join(missing)}; add it")
        try:
            number = int(secret.get("port") or port)
        except (TypeError, ValueError) as error:
            raise SourceError(
                f"secret '{name}': port {secret['port']!r} is no number; store a whole one"
            ) from error
        database = secret.get("dbname") or secret.get("database") or ""
        return cls(str(secret["host"]), number, str(secret["username"]), str(secret["password"]),
                   str(database), tls_of(secret, name), timeout)  # fmt: skip


def tls_of(secret: Mapping[str, Any], name: str) -> ssl.SSLContext | None:
    """TLS as libpq's sslmode has it: `require` (default), `verify-full`, or `disable`.

    Amazon's databases have certificates of their own authority: put its PEM bundle into the
    secret as `sslrootcert` to have them verified.
    """
    mode = secret.get("sslmode", "verify-full" if secret.get("sslrootcert") else "require")
    if mode == "disable":
        return None
    if mode not in ("require", "verify-full"):
        raise SourceError(
            f"secret '{name}': sslmode {mode!r} is none of require, verify-full, disable"
        )
    try:
        context = ssl.create_default_context(cadata=secret.get("sslrootcert"))
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise SourceError(f"secret '{name}': sslrootcert holds no PEM certificates") from error
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
