"""Google Sheets over HTTP: a published sheet's CSV export, and the Sheets API v4.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/get
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import google.auth.exceptions
import google.auth.transport
import urllib3
from google.oauth2 import service_account

from noria.common.backoff import Backoff
from noria.errors import SourceError

DOCUMENTS = "https://docs.google.com"
API = "https://sheets.googleapis.com"
TOKENS = "https://oauth2.googleapis.com/token"
SCOPES = ("https://www.googleapis.com/auth/spreadsheets.readonly",)
LATER = "start the run again later"
LARGEST = 200_000_000  # bytes; a sheet holds 10 million cells
# Google asks for exponential backoff with jitter on 429, and quotas are per minute.
RETRIES = urllib3.Retry(
    total=6, redirect=5, status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "POST"),
    backoff_factor=1, backoff_jitter=1, backoff_max=60, retry_after_max=60, raise_on_status=False,
)  # fmt: skip
# urllib3 asks again where no answer came, not where its body broke off.
BODY_RETRIES = Backoff(attempts=3, first=0.2)
DROPPED = urllib3.exceptions.ProtocolError | urllib3.exceptions.ReadTimeoutError


@dataclass(frozen=True)
class Reply:
    """An answer that was read whole, as google-auth wants it too."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Web:
    """HTTP with patience: 429 and 5xx are asked again, after Retry-After where it is given."""

    def __init__(self, retries: urllib3.Retry = RETRIES) -> None:
        timeout = urllib3.Timeout(connect=10, read=120)
        self._pool = urllib3.PoolManager(retries=retries, timeout=timeout)

    def request(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask, and read the whole answer; raises `SourceError` where none comes."""
        for attempt in BODY_RETRIES:
            try:
                return self._answer(method, url, body, dict(headers or {}))
            except urllib3.exceptions.HTTPError as error:
                broken = isinstance(error, DROPPED)
                if not broken or attempt == BODY_RETRIES.attempts - 1:
                    raise SourceError(
                        f"'{_host(url)}' cannot be reached: {error}; start the run again later"
                    ) from error
        raise AssertionError

    def _answer(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Reply:
        answer = self._pool.request(method, url, body=body, headers=headers, preload_content=False)
        content = answer.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SourceError(f"a sheet of more than {LARGEST} bytes: give a smaller range")
        return Reply(answer.status, answer.headers, content)


class Published:
    """A sheet that anybody with its link may read."""

    def __init__(self, base: str = DOCUMENTS, web: Web | None = None) -> None:
        self._base, self._web = base, web or Web()

    def csv(self, sheet: str, gid: int | None, range: str | None) -> bytes:  # noqa: A002
        """Export a tab, or a range of it, as CSV; raises `SourceError`."""
        options = {"format": "csv", "gid": gid, "range": range}
        given = {name: value for name, value in options.items() if value is not None}
        url = f"{self._base}/spreadsheets/d/{sheet}/export?{urlencode(given)}"
        answer = self._web.request("GET", url)
        page = "text/html" in answer.headers.get("Content-Type", "")
        if answer.status in (401, 403, 404, 410) or (answer.status == 200 and page):
            raise SourceError(
                f"sheet '{sheet}' is not published ({answer.status}): share it with everybody who "
                "has the link, or give the source a secret with a service account"
            )
        if answer.status in RETRIES.status_forcelist:
            raise SourceError(f"sheet '{sheet}' answered {answer.status}: {LATER}")
        if answer.status != 200:
            raise SourceError(
                f"sheet '{sheet}' answered {answer.status}; check its gid ({gid}) and range "
                f"({range})"
            )
        return answer.data


class Api:
    """The Sheets API, as a service account."""

    def __init__(
        self, account: Mapping[str, Any], base: str = API, tokens: str = TOKENS,
        web: Web | None = None,
    ) -> None:  # fmt: skip
        self._base, self._web = base, web or Web()
        self.email = str(account.get("client_email", ""))
        try:
            # Where a token is asked for is ours to say, not the secret's.
            make: Any = service_account.Credentials.from_service_account_info
            self._account = make({**account, "token_uri": tokens}, scopes=SCOPES)
        except (ValueError, google.auth.exceptions.GoogleAuthError) as error:
            raise SourceError(
                "the secret is not the JSON key of a Google service account (client_email, "
                f"private_key): {type(error).__name__}; store the downloaded key file as it is"
            ) from error

    def tabs(self, sheet: str) -> dict[int, str]:
        """The titles of a sheet's tabs by gid, in order."""
        document = self._get(sheet, f"/v4/spreadsheets/{sheet}?fields=sheets.properties")
        properties = [tab["properties"] for tab in document.get("sheets", [])]
        return {int(item.get("sheetId", 0)): str(item["title"]) for item in properties}

    def values(self, sheet: str, range: str) -> list[list[Any]]:  # noqa: A002
        """The cells of a range, row by row; empty ends of rows are left out by the API."""
        options = urlencode(
            {"majorDimension": "ROWS", "valueRenderOption": "UNFORMATTED_VALUE",
             "dateTimeRenderOption": "FORMATTED_STRING"}
        )  # fmt: skip
        path = f"/v4/spreadsheets/{sheet}/values/{quote(range, safe='')}?{options}"
        values: list[list[Any]] = self._get(sheet, path).get("values", [])
        return values

    def _get(self, sheet: str, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token()}"}
        answer = self._web.request("GET", self._base + path, headers=headers)
        try:
            document = json.loads(answer.data)
        except ValueError:
            document = None
        if answer.status != 200:
            raise SourceError(self._refusal(sheet, answer.status, document))
        if not isinstance(document, dict):
            raise SourceError(f"sheet '{sheet}': the Sheets API answered no JSON object; {LATER}")
        return document

    def _token(self) -> str:
        if not self._account.valid:
            try:
                self._account.refresh(_Transport(self._web))
            except google.auth.exceptions.GoogleAuthError as error:
                raise SourceError(
                    f"Google gave no token to '{self.email}': {error.args[0]}; check that the key "
                    "in the secret was not revoked"
                ) from error
        return str(self._account.token)

    def _refusal(self, sheet: str, status: int, document: Any) -> str:
        message = document.get("error", {}).get("message", "") if isinstance(document, dict) else ""
        remedy = {
            400: "check range (A1 notation, such as 'Sheet1'!A1:F)",
            401: "check the service account's key in the secret",
            403: f"share the sheet with '{self.email}', and enable the Sheets API in its project",
            404: "check sheet, the long part of its address",
            429: f"Google's quota is used up; {LATER}",
        }.get(status, LATER)
        return f"sheet '{sheet}' answered {status} {message}".strip() + f": {remedy}"


class _Transport(google.auth.transport.Request):
    """google-auth's requests, by way of our retries."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def __call__(
        self, url: Any, method: Any = "GET", body: Any = None,
        headers: Any = None, timeout: Any = None, **_: Any,
    ) -> Any:  # fmt: skip
        return self._web.request(method, url, body=body, headers=headers)


def _host(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
