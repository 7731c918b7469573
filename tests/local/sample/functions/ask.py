"""Keeps the task token where the test finds it."""

import json
import os

import boto3


def handler(event, context):
    body = json.dumps({"token": event["token"]}).encode()
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="open/token.json", Body=body)
