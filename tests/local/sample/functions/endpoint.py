"""Answers over HTTP, and logs what it was asked to a delivery stream or to its own log."""

import base64
import json
import os
import time

import boto3

MODEL = os.environ["MODEL"]


def handler(event, context):
    path = event["rawPath"]
    if path == "/broken":
        raise RuntimeError("broken")
    if path == "/slow":
        time.sleep(5)
    if path == "/binary":
        return {
            "statusCode": 201,
            "headers": {"Content-Type": "application/octet-stream"},
            "cookies": ["a=1; Path=/", "b=2"],
            "isBase64Encoded": True,
            "body": base64.b64encode(b"\x00\xff").decode(),
        }
    if path == "/log":
        boto3.client("firehose").put_record(
            DeliveryStreamName=os.environ["STREAM"],
            Record={"Data": json.dumps({"asked": event["body"]}).encode() + b"\n"},
        )
    if path == "/print":
        print(event["body"])
    return {"model": MODEL, "version": context.function_version, "event": event}
