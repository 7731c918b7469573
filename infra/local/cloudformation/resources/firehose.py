"""Delivery streams."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


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
