"""Where trials and models are sent to as well: an MLflow tracking server."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.field_types import Section

SCHEMES = ("http", "https")
# What people write for stores that no server answers for, and what to write in their place.
OTHER_STORES = {
    "databricks": "write the workspace's https address, and give a secret with its token",
    "arn": "SageMaker's MLflow takes requests signed by AWS only, which are not sent here; name "
    "the address of a tracking server",
    "file": "a function sees no folder of yours: run `mlflow server` over it and name its address",
}
EXAMPLE = "write such as https://mlflow.example.org"
PASSWORD = re.compile(r"//.*@", re.DOTALL)  # never shown, whatever signs it has
HOLDS_USER = "holds a user or a password: put them into Secrets Manager, as `secret`"
DATABASE = "a database is reached through its server: run `mlflow server` over it and name that"


def _without_slash(text: str) -> str:
    """The address as it is put before a path; one that is none stays as it is."""
    try:
        return urlsplit(text).geturl().rstrip("/")
    except ValueError:
        return text


def _mistake(text: str) -> str | None:
    """What is wrong with an address, and what to write; None where nothing is."""
    try:
        parts = urlsplit(text)
        port = parts.port  # ValueError where it is none
    except ValueError:
        return HOLDS_USER if PASSWORD.search(text) else "is no address: write http(s)://host:port"
    if parts.scheme not in SCHEMES or not parts.hostname:
        scheme = parts.scheme or text
        remedy = OTHER_STORES.get(scheme, DATABASE if "sql" in scheme else EXAMPLE)
        return f"is not the http or https address of an MLflow tracking server; {remedy}"
    if PASSWORD.search(text):
        return HOLDS_USER
    if parts.query or parts.fragment or port == 0:
        return "is more than an address: leave out port 0, ? and #, and what comes behind"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "has signs that no address has: write a space as %20, others likewise"
    return None


class MlflowTracking(Section):
    """An MLflow tracking server: every run's trials and models go there too."""

    tracking_uri: Annotated[str, AfterValidator(_without_slash)] = Field(
        min_length=1, max_length=1000
    )
    """The server's address, with its path prefix where it has one."""
    experiment: str | None = Field(default=None, min_length=1, max_length=250)
    """The experiment there that runs are logged to (default: the problem's name)."""
    secret: str | None = Field(default=None, min_length=1)
    """The secret with username and password, or with a token, for a server that asks for them."""
    insecure: bool = False
    """Whether the secret may be sent over plain http, as within a private network."""

    @reads("tracking_uri")
    def _address_of_a_server(self) -> FieldErrors:
        told = _mistake(self.tracking_uri)
        if told:
            yield "tracking_uri", f"'{PASSWORD.sub('//...@', self.tracking_uri)}' {told}"

    @reads("tracking_uri", "secret", "insecure")
    def _secret_over_https(self) -> FieldErrors:
        if self.secret and self.tracking_uri.startswith("http://") and not self.insecure:
            yield (
                "tracking_uri",
                "would send the secret over plain http: use https, or set insecure: true to "
                "accept it",
            )
