"""Publishes the drift that an object in the bucket says, stamped with the schedule's time."""

import datetime
import json
import os

import boto3


def handler(event, context):
    s3 = boto3.client("s3")
    found = s3.get_object(Bucket=os.environ["BUCKET"], Key="open/drift.json")["Body"].read()
    boto3.client("cloudwatch").put_metric_data(
        Namespace="Noria/sample",
        MetricData=[
            {
                "MetricName": "Drift",
                "Value": json.loads(found),
                "Timestamp": datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")),
            }
        ],
    )
