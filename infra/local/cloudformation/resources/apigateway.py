"""HTTP APIs."""

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource


@resource(
    "AWS::ApiGatewayV2::Api",
    delete=lambda aws, made, _: aws("apigatewayv2").delete_api(ApiId=made.ref) and None,
)
def http_api(aws: Clients, name: str, p: Properties) -> Made:
    """Create an HTTP API; `serve_api` gives it a port."""
    keys = ("Name", "ProtocolType", "Description", "DisableExecuteApiEndpoint", "CorsConfiguration")
    given = {"Name": name, **{key: p[key] for key in keys if key in p}}
    made = aws("apigatewayv2").create_api(**given)
    return Made(made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]})


@resource("AWS::ApiGatewayV2::Stage")
def http_stage(aws: Clients, _: str, p: Properties) -> Made:
    """Create a stage."""
    keys = (
        "ApiId", "StageName", "AutoDeploy", "Description", "DefaultRouteSettings",
        "AccessLogSettings", "StageVariables",
    )  # fmt: skip
    aws("apigatewayv2").create_stage(**{key: p[key] for key in keys if key in p})
    return Made(p["StageName"])


def _api_part(kind: str, operation: str, identifier: str, *keys: str) -> None:
    def create(aws: Clients, _: str, p: Properties) -> Made:
        given = {key: p[key] for key in ("ApiId", *keys) if key in p}
        made = getattr(aws("apigatewayv2"), operation)(**given)
        return Made(made[identifier], {identifier: made[identifier]})

    def delete(aws: Clients, made: Made, p: Properties) -> None:
        remove = getattr(aws("apigatewayv2"), operation.replace("create", "delete"))
        remove(ApiId=p["ApiId"], **{identifier: made.ref})

    resource(kind, delete=delete)(create)


_api_part(
    "AWS::ApiGatewayV2::Integration", "create_integration", "IntegrationId",
    "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion",
    "TimeoutInMillis", "Description", "ConnectionType", "CredentialsArn",
)  # fmt: skip
_api_part(
    "AWS::ApiGatewayV2::Route", "create_route", "RouteId",
    "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes",
    "ApiKeyRequired", "OperationName",
)  # fmt: skip
_api_part(
    "AWS::ApiGatewayV2::Authorizer", "create_authorizer", "AuthorizerId",
    "AuthorizerType", "Name", "IdentitySource", "JwtConfiguration",
)  # fmt: skip
