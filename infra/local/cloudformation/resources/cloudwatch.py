"""Alarms, subscriptions, queue policies, delivery streams and schedules."""

import json

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def _put_alarm(aws: Clients, made: Made, p: Properties) -> None:
    aws("cloudwatch").put_metric_alarm(**{**p, "AlarmName": made.ref})


def _delete_alarm(aws: Clients, made: Made, _: Properties) -> None:
    aws("cloudwatch").delete_alarms(AlarmNames=[made.ref])


@resource("AWS::CloudWatch::Alarm", name="AlarmName", update=_put_alarm, delete=_delete_alarm)
def metric_alarm(aws: Clients, name: str, p: Properties) -> Made:
    """Create a metric alarm; `tick` evaluates it."""
    client = aws("cloudwatch")
    client.put_metric_alarm(**{**p, "AlarmName": name})
    described = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return Made(name, {"Arn": described["AlarmArn"]})


@resource(
    "AWS::SNS::Subscription",
    delete=lambda aws, made, _: aws("sns").unsubscribe(SubscriptionArn=made.ref) and None,
)
def subscription(aws: Clients, _: str, p: Properties) -> Made:
    """Subscribe an endpoint to a topic."""
    attributes = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in p.items()
        if key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    }
    made = aws("sns").subscribe(
        TopicArn=p["TopicArn"], Protocol=p["Protocol"], Endpoint=p.get("Endpoint", ""),
        Attributes=attributes, ReturnSubscriptionArn=True,
    )  # fmt: skip
    return Made(made["SubscriptionArn"])


@resource("AWS::SNS::TopicPolicy")
def topic_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Set the policy of topics; recorded, not enforced."""
    for arn in p["Topics"]:
        aws("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(p["PolicyDocument"])
        )
    return Made(name)


@resource("AWS::SQS::QueuePolicy")
def queue_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Set the policy of queues; recorded, not enforced."""
    for url in p["Queues"]:
        aws("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(p["PolicyDocument"])}
        )
    return Made(name, {"Id": name})


@resource(
    "AWS::KinesisFirehose::DeliveryStream", name="DeliveryStreamName",
    delete=lambda aws, made, _: aws("firehose").delete_delivery_stream(
        DeliveryStreamName=made.ref
    ) and None,
)  # fmt: skip
def delivery_stream(aws: Clients, name: str, p: Properties) -> Made:
    """Create a delivery stream to S3."""
    name = p.get("DeliveryStreamName", name)[:64]
    keys = (
        "DeliveryStreamType",
        "ExtendedS3DestinationConfiguration",
        "S3DestinationConfiguration",
    )
    given = {key: p[key] for key in keys if key in p}
    made = aws("firehose").create_delivery_stream(DeliveryStreamName=name, **given)
    return Made(name, {"Arn": made["DeliveryStreamARN"]})


def _delete_schedule(aws: Clients, made: Made, p: Properties) -> None:
    aws("scheduler").delete_schedule(Name=made.ref, GroupName=p.get("GroupName", "default"))


@resource("AWS::Scheduler::Schedule", name="Name", delete=_delete_schedule)
def schedule(aws: Clients, name: str, p: Properties) -> Made:
    """Create a schedule; `tick` fires it."""
    name = p.get("Name", name)[:64]
    arn = aws("scheduler").create_schedule(**{**p, "Name": name})["ScheduleArn"]
    return Made(name, {"Arn": arn})


@resource("AWS::CDK::Metadata")
def cdk_metadata(_: Clients, name: str, __: Properties) -> Made:
    """Ignore what the CDK tells its makers about the constructs used."""
    return Made(name)
