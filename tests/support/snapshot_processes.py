"""The endpoint as SnapStart runs it: initialised once, then copied into several processes.

python -m tests.support.snapshot_processes COPIES prints, as JSON, what the initialised process
held and what each copy answered to the same request.
"""

import gc
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.credentials import Credentials

from noria.aws.s3 import Store
from tests.bench.endpoints.gateway import CONTEXT, event
from tests.support.moto_session import aws_in_process
from tests.support.tiny_model import BUCKET, make_champion, write_model

VARIABLES = {
    "NORIA_BUCKET": BUCKET, "NORIA_NAMESPACE": "Noria/test", "NORIA_MODEL": "v1",
    "NORIA_PREDICTIONS_STREAM": "predictions", "NORIA_LABELS_STREAM": "labels",
    "AWS_LAMBDA_FUNCTION_NAME": "endpoint", "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
}  # fmt: skip
REQUEST = {"rows": [{"distance": 1.5, "carrier": "AA"}, {"distance": -1.5, "carrier": "UA"}]}


def main(copies: int) -> dict[str, Any]:
    """Initialise the module, look at what it holds, and fork."""
    with aws_in_process(), TemporaryDirectory() as folder:
        _deploy()
        boto3.DEFAULT_SESSION = None
        gc.collect()
        others = {id(one) for one in gc.get_objects() if isinstance(one, BaseClient | Credentials)}
        from functions import endpoint  # the initialisation, before the snapshot

        gc.collect()  # what nothing refers to signs nothing
        held = [
            type(one).__name__
            for one in gc.get_objects()
            if isinstance(one, BaseClient | Credentials) and id(one) not in others
        ]
        files = [Path(folder) / str(number) for number in range(copies)]
        for file in files:
            _copy(endpoint, file)
        return {"held": held, "answers": [json.loads(file.read_text()) for file in files]}


def _deploy() -> None:
    os.environ |= VARIABLES
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    write_model(Store(s3, BUCKET), "v1")
    make_champion(Store(s3, BUCKET), "v1")
    for name in ("predictions", "labels"):
        boto3.client("firehose").create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::123456789012:role/firehose",
                "BucketARN": f"arn:aws:s3:::{BUCKET}",
            },
        )


def _copy(endpoint: Any, file: Path) -> None:
    """Answer in a copy of this process, whose memory begins as this one's is."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(2, 1)  # what it logs
            answer = endpoint.handler(event(REQUEST), CONTEXT)
            file.write_text(json.dumps({"status": answer["statusCode"], "body": answer["body"]}))
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
