"""Where the contract says that trials go: an address that a function can reach, and no secret."""

from typing import Any

import pytest

from noria.contracts import Problem
from noria.errors import ContractError

CONTRACT: dict[str, Any] = {
    "name": "penguins", "statement": "Which species is this penguin, from its measurements?",
    "task": "multiclass", "target": "species",
    "sources": [{"name": "penguins", "kind": "s3", "primary": True}],
    "objective": {"metric": "accuracy", "threshold": 0.9},
}  # fmt: skip


def with_mlflow(**mlflow: Any) -> Problem:
    return Problem.parse(CONTRACT | {"mlflow": mlflow})


def test_an_address_is_kept_without_its_last_slash() -> None:
    mlflow = with_mlflow(tracking_uri="HTTPS://mlflow.example.org/tracking/").mlflow
    assert mlflow is not None
    assert mlflow.tracking_uri == "https://mlflow.example.org/tracking"
    assert (mlflow.experiment, mlflow.secret, mlflow.insecure) == (None, None, False)
    assert Problem.parse(CONTRACT).mlflow is None


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("file:///tmp/mlruns", "a function sees no folder of yours: run `mlflow server` over it"),
        ("sqlite:///mlflow.db", "a database is reached through its server"),
        ("postgresql+psycopg2://anna:s3cr3t@db/mlflow", "a database is reached through its server"),
        ("databricks", "write the workspace's https address, and give a secret with its token"),
        ("databricks://team", "write the workspace's https address"),
        ("arn:aws:sagemaker:eu-west-1:1:mlflow-tracking-server/x", "signed by AWS only"),
        ("mlruns", "such as https://mlflow.example.org"),
        ("https://", "such as https://mlflow.example.org"),
        ("http://host:99999", "is no address: write http(s)://host:port"),
        ("https://host:0", "leave out port 0"),
        ("https://host/?page=1", "leave out port 0, ? and #"),
        ("https://host/my server", "write a space as %20"),
        ("https://anna:s3cr3t@host", "put them into Secrets Manager, as `secret`"),
        ("https://anna:s3cr3t/x@host", "put them into Secrets Manager, as `secret`"),
        ("https://anna:s3cr3t@x@host/y", "put them into Secrets Manager, as `secret`"),
        ("https://anna:s3cr3t#x@host", "put them into Secrets Manager, as `secret`"),
    ],
)
def test_what_is_no_servers_address_is_refused_with_a_remedy(uri: str, told: str) -> None:
    with pytest.raises(ContractError) as caught:
        with_mlflow(tracking_uri=uri)
    assert str(caught.value).startswith("mlflow.tracking_uri: ")
    assert told in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_secret_goes_over_plain_http_only_where_that_is_said(scheme: str) -> None:
    uri = f"{scheme}://mlflow.internal:5000"
    with pytest.raises(ContractError, match="set insecure: true"):
        with_mlflow(tracking_uri=uri, secret="noria/mlflow")
    assert with_mlflow(tracking_uri=uri, secret="noria/mlflow", insecure=True).mlflow
    assert with_mlflow(tracking_uri=uri).mlflow


def test_an_execution_cannot_say_where_data_and_a_secret_go() -> None:
    deployed = with_mlflow(tracking_uri="https://mlflow.example.org", secret="noria/mlflow")
    with pytest.raises(ContractError, match="mlflow cannot be changed by an execution"):
        deployed.merged({"mlflow": {"tracking_uri": "https://elsewhere.example.org"}})
    with pytest.raises(ContractError, match="mlflow cannot be changed by an execution"):
        Problem.parse(CONTRACT).merged({"mlflow": {"tracking_uri": "https://x.example.org"}})
