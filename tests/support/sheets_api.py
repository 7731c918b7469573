"""A server's answers in the documented shapes of the Sheets API v4, its tokens, and exports.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/get
https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import base64
import csv
import io
import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from noria.aws.s3 import Store
from noria.contracts import GoogleSheetSource
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.sources.google_api import Api, Published
from noria.ingestion.sources.google_sheet import GoogleSheet
from tests.support.scripted_server import Answer, Asked, Scripted

SHEET = "1AbCdEfGhIjKlMnOp_-"
EMAIL = "reader@project.iam.gserviceaccount.com"
TOKEN = "ya29.token"
# Formatted strings come as text, numbers unformatted; empty ends of rows are left out.
VALUES = [
    ["A title", "", ""],
    [" id ", "amount", "mixed", "flag", "day", "empty"],
    [1, 1234.5, "a", True, "2026-01-31", ""],
    [],
    [2, "#DIV/0!", 7, False, "2026-02-28"],
    [3, 10, 7.5, True, "2026-03-31", "", "", ""],
    ["", ""],
    [4, "", True],
]


def account_of(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The JSON key of a service account, as Google hands it out."""
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
    return {"type": "service_account", "project_id": "project", "private_key_id": "k1",
            "private_key": pem, "client_email": EMAIL, "client_id": "1",
            "token_uri": "http://169.254.169.254/elsewhere"}  # fmt: skip


class Google:
    """What Google answers, and what it is told to answer first."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.key, self.values = key, [list(row) for row in VALUES]
        self.first: list[Answer] = []
        self.tabs = {0: "Sheet1", 77: "Bob's data"}

    def __call__(self, asked: Asked) -> Answer:
        if self.first:
            return self.first.pop(0)
        path = urlsplit(asked.path).path
        if path == "/token":
            return self._token(asked)
        if path.startswith("/spreadsheets/d/"):
            return self._export()
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return failure(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        if path == f"/v4/spreadsheets/{SHEET}":
            tabs = [{"properties": {"sheetId": gid, "title": title, "index": index}}
                    for index, (gid, title) in enumerate(self.tabs.items())]  # fmt: skip
            return json_answer({"sheets": tabs})
        if path.startswith(f"/v4/spreadsheets/{SHEET}/values/"):
            document = {"range": unquote(path.rpartition("/")[2]), "majorDimension": "ROWS"}
            return json_answer(document | ({"values": self.values} if self.values else {}))
        return failure(404, "NOT_FOUND", "Requested entity was not found.")

    def _token(self, asked: Asked) -> Answer:
        form = parse_qs(asked.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        header, claims, signature = form["assertion"][0].split(".")
        self.key.public_key().verify(
            _decoded(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        told = json.loads(_decoded(claims))
        assert told["iss"] == EMAIL
        assert told["scope"].endswith("/spreadsheets.readonly")
        assert told["exp"] - told["iat"] <= 3600
        assert json.loads(_decoded(header))["alg"] == "RS256"
        return json_answer({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    def _export(self) -> Answer:
        buffer = io.StringIO()
        csv.writer(buffer).writerows(self.values)
        return Answer(200, buffer.getvalue().encode(), {"Content-Type": "text/csv"})


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def json_answer(document: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def failure(status: int, name: str, message: str) -> Answer:
    return json_answer({"error": {"code": status, "message": message, "status": name}}, status)


def collected(server: Scripted, account: dict[str, Any], bucket: Store, **fields: Any) -> Collected:
    """Collect the sheet from the local server."""
    described = GoogleSheetSource(
        **{"kind": "google_sheet", "name": "sheet", "sheet": SHEET, "header": 2, **fields}
    )
    origin = GoogleSheet(
        described, Published(server.url),
        lambda: Api(account, base=server.url, tokens=f"{server.url}/token"),
    )  # fmt: skip
    return Collector(bucket, described, "2026-11-24T00:00:00Z").collect(origin)
