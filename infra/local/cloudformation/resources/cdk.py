"""What the CDK adds to a template for itself."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


@resource("AWS::CDK::Metadata")
def cdk_metadata(_: Clients, name: str, __: Properties) -> Made:
    """Ignore what the CDK tells its makers about the constructs used."""
    return Made(name)
