"""AWS Signature Version 4, the checking side: what API Gateway does before it lets a request in."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

MAXIMUM_SKEW = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)


def verified_key(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, *,
    region: str, service: str, secret_of: Callable[[str, Mapping[str, str]], str | None],
    now: datetime,
) -> str | None:  # fmt: skip
    """Give the access key that signed this request, or None where no valid signature does.

    `headers` has lower-case names.
    """
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if match is None:
        return None
    key, date, its_region, its_service, signed, signature = match.groups()
    stamp = headers.get("x-amz-date", "")
    secret = secret_of(key, headers)
    fresh = stamp.startswith(date) and _is_fresh(stamp, now)
    if secret is None or (its_region, its_service) != (region, service) or not fresh:
        return None
    if "host" not in signed.split(";") or any(name not in headers for name in signed.split(";")):
        return None
    canonical = "\n".join(
        [
            method,
            quote(path or "/", safe="/-_.~"),
            _canonical_query(query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in signed.split(";")),
            "",
            signed,
            headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest(),
        ]
    )
    claimed = headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if claimed != "UNSIGNED-PAYLOAD" and claimed != hashlib.sha256(body).hexdigest():
        return None
    expected = _sign(secret, stamp, date, region, service, canonical)
    return key if hmac.compare_digest(expected, signature) else None


def _is_fresh(stamp: str, now: datetime) -> bool:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - signed_at) <= MAXIMUM_SKEW


def _canonical_query(query: str) -> str:
    pairs = sorted(
        (quote(key, safe="-_.~"), quote(value, safe="-_.~"))
        for key, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{key}={value}" for key, value in pairs)


def _sign(secret: str, stamp: str, date: str, region: str, service: str, canonical: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    scope = f"{date}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), "sha256").hexdigest()
