"""The endpoint: one Lambda version per model behind the alias `live`, behind an HTTP API."""

import json
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs import grants
from infra.constructs.code_marker import code_marker
from infra.constructs.stages import ENDPOINT, RETENTION, Packages, contract_variable
from infra.constructs.storage import Storage
from noria.contracts import Deployment, Problem
from noria.lifecycle.environment import Environment

REQUESTS_PER_SECOND, BURST = 50, 100
ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "caller": "$context.identity.caller",
    "sourceIp": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}


class Serving(Construct):
    """The endpoint function, its alias, and the API that only known callers may use."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        problem: Problem,
        storage: Storage,
        packages: Packages,
        environment: Environment,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = packages.function(
            self,
            replace(ENDPOINT, snap_start=problem.deployment.snap_start),
            storage=storage,
            environment=environment.model_copy(
                update={
                    "problem": contract_variable(problem),
                    "labels_stream": storage.streams["labels"].ref,
                    # A code deployment serves the champion of its moment; PublishChallenger
                    # names a model's version here before it publishes a version for it.
                    "model": "champion",
                    "code_version": code_marker(environment.code_version, ENDPOINT),
                }
            ),
            powers={
                "stream": lambda: _append(storage, "labels"),
                "look_up": lambda: grants.look_up_features(storage),
            },
        )
        self._log_predictions(storage)
        self.alias = self._alias(environment.alias)
        self.api = self._api(problem.deployment)
        self.url = self.api.api_endpoint
        self._stage()

    def _log_predictions(self, storage: Storage) -> None:
        """Carry the lines of predictions from the function's log to the stream that stores them."""
        stack = cdk.Stack.of(self)
        events = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:*"
        role = iam.Role(
            self,
            "PredictionLogRole",
            assumed_by=iam.ServicePrincipal(
                "logs.amazonaws.com", conditions={"StringLike": {"aws:SourceArn": events}}
            ),
            description="What the subscription of the endpoint's log may do",
        )
        role.add_to_policy(_append(storage, "predictions"))
        self.prediction_log = logs.CfnSubscriptionFilter(
            self,
            "PredictionLog",
            log_group_name=self.function.log_group.log_group_name,
            filter_pattern="{ $.prediction_id = * }",
            destination_arn=storage.stream_arn("predictions"),
            role_arn=role.role_arn,
        )
        # CloudWatch sends a message under the role to try it: its policy has to be there by then.
        self.prediction_log.node.add_dependency(role)

    def _alias(self, name: str) -> lambda_.Alias:
        version = self.function.current_version
        # Versions that carry models outlive the template's own: rolling back needs them.
        version.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return lambda_.Alias(self, "Live", alias_name=name, version=version)

    def _api(self, deployment: Deployment) -> api.HttpApi:
        return api.HttpApi(
            self,
            "Api",
            description="Noria: predictions",
            create_default_stage=False,
            default_authorizer=_authorizer(deployment),
            default_integration=integrations.HttpLambdaIntegration("Endpoint", self.alias),
        )

    def _stage(self) -> None:
        group = logs.LogGroup(
            self, "AccessLogs", retention=RETENTION, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        api.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=api.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.log_group_arn, format=json.dumps(ACCESS_LOG_FIELDS)
            ),
            default_route_settings=api.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_PER_SECOND,
                throttling_burst_limit=BURST,
                detailed_metrics_enabled=True,
            ),
        )


def _authorizer(deployment: Deployment) -> api.IHttpRouteAuthorizer:
    """SigV4 by default, JWT by option; there is no way to have none."""
    if deployment.auth == "jwt":
        return authorizers.HttpJwtAuthorizer(
            "Jwt", str(deployment.jwt_issuer), jwt_audience=deployment.jwt_audience
        )
    return authorizers.HttpIamAuthorizer()


def _append(storage: Storage, name: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["firehose:PutRecord", "firehose:PutRecordBatch"],
        resources=[storage.stream_arn(name)],
    )
