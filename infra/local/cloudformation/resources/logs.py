"""Subscriptions of log groups."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


def _put_filter(aws: Clients, made: Made, p: Properties) -> None:
    aws("logs").put_subscription_filter(
        logGroupName=p["LogGroupName"], filterName=made.ref, filterPattern=p["FilterPattern"],
        destinationArn=p["DestinationArn"], roleArn=p.get("RoleArn", ""),
    )  # fmt: skip


def _delete_filter(aws: Clients, made: Made, p: Properties) -> None:
    aws("logs").delete_subscription_filter(logGroupName=p["LogGroupName"], filterName=made.ref)


@resource(
    "AWS::Logs::SubscriptionFilter", name="FilterName",
    update=lambda aws, made, _, p: _put_filter(aws, made, p), delete=_delete_filter,
)  # fmt: skip
def subscription_filter(aws: Clients, name: str, p: Properties) -> Made:
    """Subscribe a delivery stream to what a pattern matches."""
    made = Made(name)
    _put_filter(aws, made, p)
    return made
