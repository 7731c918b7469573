"""Reading objects of Amazon S3 by the standard library, where a process must start fast.

The AWS SDK takes half of a fresh endpoint's time until its first answer, all for a few reads. What
is unusual in any way is left to the SDK, which then also says what is wrong.
"""

import hashlib
import hmac
import http.client
import os
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any, Self
from urllib.parse import quote, urlsplit

TIMEOUT = 1  # seconds, to connect and for each part that is read: then the SDK tries
EMPTY = hashlib.sha256(b"").hexdigest()  # of a request's body
NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
#: Variables with which the SDK goes another way, or trusts other certificates.
UNUSUAL = (
    "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_S3", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT",
    "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy",
)  # fmt: skip


class ObjectReader:
    """An S3 client whose `get_object` needs no SDK; everything else is done by `sdk`.

    Threads may read side by side; `sdk` is called by one of them at a time.
    """

    def __init__(self, sdk: Callable[[], Any]) -> None:
        self._make, self._lock = sdk, threading.Lock()

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """Read an object; raises what the SDK raises."""
        signer = Signer.of_function(os.environ)
        found = None if signer is None else _read(signer, Bucket, Key)
        return self._sdk().get_object(Bucket=Bucket, Key=Key) if found is None else found

    def __getattr__(self, name: str) -> Any:
        """A call that the SDK does."""
        return getattr(self._sdk(), name)

    def _sdk(self) -> Any:
        with self._lock:
            return self._make()


@dataclass(frozen=True)
class Signer:
    """Whose requests go to which region, or to an endpoint of one's own; signed by version 4."""

    access_key: str
    secret_key: str
    token: str
    region: str
    endpoint: str = ""

    @classmethod
    def of_function(cls, variables: Mapping[str, str]) -> Self | None:
        """Those of a Lambda function; None where its keys are elsewhere or anything is unusual.

        SnapStart hands keys out by address, so that none is in the snapshot.
        """
        if not variables.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda_"):
            return None
        if not all(map(variables.get, NEEDED)) or any(map(variables.get, UNUSUAL)):
            return None
        access_key, secret_key, token, region = (variables[name] for name in NEEDED)
        endpoint = variables.get("AWS_ENDPOINT_URL", "")
        return cls(access_key, secret_key, token, region, endpoint)

    def address(self, bucket: str, key: str) -> tuple[str, str, str]:
        """Scheme, host and path of an object."""
        path = quote(key, safe="/-_.~")
        if self.endpoint:
            parts = urlsplit(self.endpoint)
            return parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{bucket}/{path}"
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return "https", f"{bucket}.s3.{self.region}.{domain}", f"/{path}"

    def headers(self, host: str, path: str, now: datetime) -> dict[str, str]:
        """The headers of a GET, its signature among them."""
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        signed = {
            "host": host,
            "x-amz-content-sha256": EMPTY,
            "x-amz-date": moment,
            "x-amz-security-token": self.token,
        }
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        names = ";".join(signed)
        request = f"GET\n{path}\n\n{lines}\n{names}\n{EMPTY}"
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
        signature = hmac.new(self._key(moment[:8]), text.encode(), hashlib.sha256).hexdigest()
        credential = f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}"
        return signed | {
            "authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"
        }

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _read(signer: Signer, bucket: str, key: str) -> dict[str, Any] | None:
    """An object's answer as the SDK gives it, or None where this did not do."""
    scheme, host, path = signer.address(bucket, key)
    connection = (
        http.client.HTTPSConnection(host, timeout=TIMEOUT, context=_certificates())
        if scheme == "https"
        else http.client.HTTPConnection(host, timeout=TIMEOUT)
    )
    try:
        connection.request("GET", path, headers=signer.headers(host, path, datetime.now(UTC)))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return None
    return {"Body": BytesIO(content), "ETag": answer.headers["ETag"]}


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()
