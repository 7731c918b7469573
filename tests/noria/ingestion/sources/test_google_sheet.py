"""Google sheets, against a server that speaks the documented shapes of the Sheets API v4."""

import io
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import rsa

from noria.aws.s3 import Store
from noria.contracts import GoogleSheetSource
from noria.errors import ContractError, DataError, SourceError
from noria.ingestion.collector import Collected
from noria.ingestion.sources.google_api import RETRIES, Published, Web
from tests.support.scripted_server import Answer, Scripted, serving
from tests.support.sheets_api import (
    EMAIL,
    SHEET,
    TOKEN,
    VALUES,
    Google,
    account_of,
    collected,
    failure,
    json_answer,
)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def account(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return account_of(key)


@pytest.fixture
def google(key: rsa.RSAPrivateKey) -> Google:
    return Google(key)


@pytest.fixture
def server(google: Google) -> Iterator[Scripted]:
    with serving(google) as found:
        yield found


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between requests; nobody really waits."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def rows(found: Collected) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(found.table))


@pytest.mark.parametrize("secret", ["google", None])
def test_mixed_columns_survive(
    server: Scripted, account: dict[str, Any], bucket: Store, secret: str | None
) -> None:
    found = collected(server, account, bucket, secret=secret)
    table = rows(found)
    assert table["id"].tolist() == [1, 2, 3, 4]
    assert table["amount"].isna().tolist() == [False, True, False, True]
    assert table["amount"].dropna().tolist() == [1234.5, 10.0]
    assert [text.lower() for text in table["mixed"]] == ["a", "7", "7.5", "true"]
    assert table["flag"].dropna().tolist() == [True, False, True]
    assert table["empty"].isna().all()
    assert found.parts[0].notes == ("1 cells #DIV/0! read as missing",)
    assert found.parts[0].where == f"https://docs.google.com/spreadsheets/d/{SHEET}"


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, "'Sheet1'"),
        ({"gid": 77}, "'Bob''s data'"),
        ({"gid": 77, "range": "A1:F20"}, "'Bob''s data'!A1:F20"),
        ({"range": "A1:F20"}, "A1:F20"),
        ({"range": "'Bob''s data'!A:F"}, "'Bob''s data'!A:F"),
        ({"range": "../../x?y#z"}, "../../x?y#z"),
    ],
)  # fmt: skip
def test_a_range_of_a_tab_is_asked_for(
    server: Scripted, account: dict[str, Any], bucket: Store, fields: dict[str, Any], asked: str
) -> None:
    collected(server, account, bucket, secret="google", **fields)
    path = urlsplit(server.asked[-1].path)
    assert unquote(path.path) == f"/v4/spreadsheets/{SHEET}/values/{asked}"
    assert parse_qs(path.query) == {
        "majorDimension": ["ROWS"], "valueRenderOption": ["UNFORMATTED_VALUE"],
        "dateTimeRenderOption": ["FORMATTED_STRING"],
    }  # fmt: skip
    assert sum(asked.path == "/token" for asked in server.asked) == 1


def test_a_published_sheet_is_exported_without_a_token(
    server: Scripted, account: dict[str, Any], bucket: Store
) -> None:
    collected(server, account, bucket, gid=77, range="A1:F20")
    (asked,) = server.asked
    assert urlsplit(asked.path).path == f"/spreadsheets/d/{SHEET}/export"
    assert parse_qs(urlsplit(asked.path).query) == {
        "format": ["csv"], "gid": ["77"], "range": ["A1:F20"],
    }  # fmt: skip
    assert "Authorization" not in asked.headers


def test_a_sheet_that_did_not_change_is_not_parsed_again(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store
) -> None:
    assert [collected(server, account, bucket).fetched for _ in range(2)] == [1, 0]
    google.values.append([5, 1, "x"])
    found = collected(server, account, bucket)
    assert (found.fetched, found.rows) == (1, 5)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("secret", ["google", None])
def test_a_busy_google_is_asked_again_after_a_while(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store, waited: list[float],
    status: int, secret: str | None,
) -> None:  # fmt: skip
    google.first = [Answer(status, b"{}", {"Retry-After": "9"})] * 2
    assert collected(server, account, bucket, secret=secret).rows == 4
    assert waited == [9, 9]


def test_without_retry_after_waits_grow(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store, waited: list[float]
) -> None:
    google.first = [Answer(429, b"{}")] * 4
    collected(server, account, bucket)
    assert len(waited) >= 3
    assert waited[-1] >= 4


def test_an_answer_that_breaks_off_is_asked_for_again(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store
) -> None:
    google.first = [Answer(200, b"a title\nid\n1\n2\n", {"Content-Type": "text/csv"}, cut=9)]
    assert collected(server, account, bucket).rows == 4


def test_provenance_says_where_when_what(
    server: Scripted, account: dict[str, Any], bucket: Store
) -> None:
    (part,) = collected(server, account, bucket, gid=77, range="A1:F20").parts
    told = part.provenance()
    assert told["where"] == (
        f"https://docs.google.com/spreadsheets/d/{SHEET}/edit#gid=77&range=A1%3AF20"
    )
    assert told["etag"] == told["sha256"]
    assert (told["rows"], told["collected_at"]) == (4, "2026-11-24T00:00:00Z")
    assert told["schema"]["id"] == "int64"


def test_an_endless_429_is_given_up(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store, waited: list[float]
) -> None:
    google.first = [Answer(429, b"{}")] * 100
    with pytest.raises(SourceError, match="answered 429"):
        collected(server, account, bucket)
    assert len(server.asked) == RETRIES.total + 1


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (400, "Unable to parse range: Nope!A1", "Unable to parse range: Nope!A1: check range"),
        (403, "The caller does not have permission", f"share the sheet with '{EMAIL}'"),
        (404, "Requested entity was not found.", "check sheet, the long part of its address"),
    ],
)
def test_a_refusal_says_what_to_do(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store,
    status: int, message: str, told: str,
) -> None:  # fmt: skip
    token = json_answer({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
    google.first = [token, failure(status, "X", message)]
    with pytest.raises(SourceError) as caught:
        collected(server, account, bucket, secret="google")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b"<!DOCTYPE html>Sign in", {"Content-Type": "text/html; charset=utf-8"}),
     Answer(401), Answer(404)],
)  # fmt: skip
def test_a_sheet_that_is_not_published_says_so(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store, answer: Answer
) -> None:
    google.first = [answer]
    with pytest.raises(SourceError, match=r"is not published .* share it with everybody"):
        collected(server, account, bucket)


def test_a_revoked_key_says_so(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store
) -> None:
    google.first = [
        json_answer({"error": "invalid_grant", "error_description": "Invalid JWT"}, 400)
    ]
    with pytest.raises(SourceError, match=r"no token to 'reader@.*check that the key"):
        collected(server, account, bucket, secret="google")


@pytest.mark.parametrize(
    "change", [{"private_key": "x"}, {"private_key": None}, {"client_email": None}]
)
def test_a_secret_that_is_no_key_says_so(
    server: Scripted, account: dict[str, Any], bucket: Store, change: dict[str, Any]
) -> None:
    broken = {name: value for name, value in {**account, **change}.items() if value is not None}
    with pytest.raises(SourceError, match="not the JSON key of a Google service account"):
        collected(server, broken, bucket, secret="google")


@pytest.mark.parametrize(
    ("values", "fields", "told"),
    [
        ([], {}, "row 2 of the sheet's range holds no column names; set header"),
        ([["a"], [""]], {}, "row 2 of the sheet's range holds no column names"),
        ([[], ["a", "b"], [1, 2], [1, 2, 3]], {}, "row 4 of the sheet has '3' beyond the 2 named"),
        (
            [[], ["a", "", "c"], [1, 2, 3]],
            {},
            "row 2 of the sheet's range names no column 2 of 3 (a merged",
        ),
        ([[], ["a", "a"], [1, 2]], {}, "names more than one column a; rename"),
        ([[], ["a"]], {}, "the sheet has no rows below row 2 (a); add the data"),
        (VALUES, {"gid": 5}, "no tab has gid 5; there are 0 (Sheet1), 77 (Bob's data)"),
    ],
)
def test_a_sheet_that_is_no_table_says_why(
    server: Scripted, google: Google, account: dict[str, Any], bucket: Store,
    values: list[list[Any]], fields: dict[str, Any], told: str,
) -> None:  # fmt: skip
    google.values = values
    with pytest.raises(DataError) as caught:
        collected(server, account, bucket, secret="google", **fields)
    assert told in str(caught.value)


def test_a_google_that_cannot_be_reached_is_a_source_error(
    account: dict[str, Any], bucket: Store
) -> None:
    web = Web(urllib3.Retry(0))
    with pytest.raises(SourceError, match=r"'http://127\.0\.0\.1:1' cannot be reached"):
        Published("http://127.0.0.1:1", web).csv(SHEET, None, None)


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"range": "Tab!A1:B"}, "a published sheet's range cannot name a tab"),
     ({"range": "Tab!A1", "secret": "s", "gid": 1}, "range names a tab and so does gid")],
)  # fmt: skip
def test_a_contract_chooses_one_tab(fields: dict[str, Any], told: str) -> None:
    with pytest.raises((ContractError, ValueError), match=told):
        GoogleSheetSource(kind="google_sheet", name="sheet", sheet=SHEET, **fields)
