"""Subscriptions of topics, and policies of topics and queues."""

import json

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


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
