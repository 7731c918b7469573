"""boto3 clients of the local cloud."""

from typing import Any

from infra.local.apigateway.client import Credentials


def make_client(service: str, *, credentials: Credentials, region: str, endpoint_url: str) -> Any:
    """Make a client that neither retries nor gives up on a slow machine."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        region_name=region,
    )
    config = Config(
        retries={"total_max_attempts": 1}, read_timeout=900, max_pool_connections=32,
        s3={"addressing_style": "path"},
    )  # fmt: skip
    return session.client(service, endpoint_url=endpoint_url, config=config)
