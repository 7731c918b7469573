"""A small stack with the same kinds of resources as the real one; run as `python app.py OUT`."""

import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

HERE = Path(__file__).parent


class Sample(cdk.Stack):
    """Everything that the local cloud has to know, small."""

    def __init__(self, app: cdk.App, name: str, *, model: str) -> None:
        super().__init__(app, name)
        self.model = model
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
        )
        self.code = lambda_.Code.from_asset(
            str(HERE),
            exclude=["*", "!functions", "!functions/**", "**/__pycache__"],
            ignore_mode=cdk.IgnoreMode.GIT,
        )
        self.layer = lambda_.LayerVersion(
            self,
            "Layer",
            code=lambda_.Code.from_asset(str(HERE / "layer"), exclude=["**/__pycache__"]),
        )
        self._tables()
        stage = self._function("Stage", "stage")
        self.stage = stage
        machine = self._machine(stage)
        self._endpoint()
        self._watch(machine)
        cdk.CfnOutput(self, "BucketName", value=self.bucket.bucket_name)
        cdk.CfnOutput(self, "StateMachineArn", value=machine.state_machine_arn)
        cdk.CfnOutput(self, "StageFunctionName", value=stage.function_name)
        logged = self._function(
            "Logged",
            "stage",
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
        )
        cdk.CfnOutput(self, "LoggedFunctionName", value=logged.function_name)

    def _function(self, name: str, module: str, **given: Any) -> lambda_.Function:
        group = logs.LogGroup(self, f"{name}Log", retention=logs.RetentionDays.ONE_WEEK)
        given = {"memory_size": 256, "timeout": cdk.Duration.seconds(2)} | given
        environment = {"BUCKET": self.bucket.bucket_name} | given.pop("environment", {})
        function = lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            code=self.code,
            log_group=group,
            handler=f"functions.{module}.handler",
            layers=[self.layer],
            environment=environment,
            **given,
        )
        self.bucket.grant_read_write(function, "open/*")
        return function

    def _tables(self) -> None:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name="sample_db"),
        )
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=self.account,
            database_name="sample_db",
            table_input=glue.CfnTable.TableInputProperty(
                name="predictions",
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=f"s3://{self.bucket.bucket_name}/predictions/",
                    columns=[glue.CfnTable.ColumnProperty(name="asked", type="string")],
                ),
            ),
        )
        table.add_dependency(database)
        cdk.CfnOutput(self, "DatabaseName", value=database.ref)

    def _task(self, name: str, function: lambda_.IFunction, path: str, **extra: Any) -> Any:
        payload = {
            "state.$": "$$.State.Name",
            "execution.$": "$$.Execution.Name",
            "started_at.$": "$$.Execution.StartTime",
            "input.$": "$",
        } | extra
        task = tasks.LambdaInvoke(
            self,
            name,
            lambda_function=function,
            payload_response_only=True,
            result_path=path,
            payload=sfn.TaskInput.from_object(payload),
            retry_on_service_exceptions=False,
        )
        task.add_retry(
            errors=[
                "Lambda.ServiceException",
                "Lambda.TooManyRequestsException",
                "Lambda.SnapStartNotReadyException",
            ],
            backoff_rate=2,
            max_attempts=3,
            jitter_strategy=sfn.JitterType.FULL,
        )
        task.add_retry(errors=["Flaky"], interval=cdk.Duration.seconds(30), max_attempts=2)
        return task

    def _machine(self, stage: lambda_.Function) -> sfn.StateMachine:
        failed = sfn.Fail(
            self, "Failed", error_path="$.failure.First.Error", cause_path="$.failure.First.Cause"
        )
        record = self._task("RecordFailure", stage, "$.recorded")
        record.next(failed)
        hopeless = sfn.Pass(self, "WasHopeless", parameters={"caught.$": "$.failure.First.Error"})
        first = self._task("First", stage, "$.first")
        first.add_catch(hopeless, errors=["Hopeless"], result_path="$.failure.First")
        first.add_catch(
            sfn.Pass(self, "Mark", parameters={"do": "brief", "failure.$": "$.failure"}).next(
                record
            ),
            errors=["States.ALL"],
            result_path="$.failure.First",
        )
        each = sfn.Map(
            self,
            "Each",
            items_path="$.items",
            max_concurrency=4,
            result_path="$.mapped",
            item_selector={
                "item.$": "$$.Map.Item.Value",
                "index.$": "$$.Map.Item.Index",
                "name.$": "$.name",
                "state.$": "$$.State.Name",
            },
        )
        each.item_processor(
            tasks.LambdaInvoke(
                self,
                "One",
                lambda_function=stage,
                payload_response_only=True,
                retry_on_service_exceptions=False,
            )
        )
        full = tasks.LambdaInvoke(
            self,
            "Whole",
            lambda_function=stage,
            result_path="$.whole",
            payload=sfn.TaskInput.from_object({"do": "brief"}),
        )
        wait = sfn.Wait(self, "Pause", time=sfn.WaitTime.seconds_path("$.pause"))
        asker = self._function("Ask", "ask")
        ask = tasks.LambdaInvoke(
            self,
            "AskPerson",
            lambda_function=asker,
            result_path="$.answer",
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            task_timeout=sfn.Timeout.duration(cdk.Duration.days(30)),
            payload=sfn.TaskInput.from_object({"token": sfn.JsonPath.task_token}),
        )
        done = sfn.Succeed(self, "Done")
        choose = sfn.Choice(self, "NeedsPerson")
        choose.when(
            sfn.Condition.and_(
                sfn.Condition.is_present("$.ask"), sfn.Condition.boolean_equals("$.ask", True)
            ),
            ask.next(
                sfn.Choice(self, "Agreed")
                .when(sfn.Condition.string_equals("$.answer.decision", "yes"), done)
                .otherwise(sfn.Fail(self, "Refused", error="Refused", cause="said no"))
            ),
        )
        choose.otherwise(done)
        short = sfn.Choice(self, "OnlyFirst")
        short.when(sfn.Condition.is_present("$.items"), each.next(full).next(wait).next(choose))
        short.otherwise(done)
        return sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(first.next(short)),
            timeout=cdk.Duration.days(40),
        )

    def _endpoint(self) -> None:
        deliver = iam.Role(
            self, "Deliver", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com")
        )
        self.bucket.grant_read_write(deliver)
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name="sample-predictions",
            delivery_stream_type="DirectPut",
            extended_s3_destination_configuration=(
                firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                    bucket_arn=self.bucket.bucket_arn,
                    role_arn=deliver.role_arn,
                    prefix="predictions/date=!{timestamp:yyyy-MM-dd}/",
                    error_output_prefix="errors/",
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=60, size_in_m_bs=1
                    ),
                )
            ),
        )
        function = self._function(
            "Endpoint",
            "endpoint",
            timeout=cdk.Duration.seconds(10),
            environment={"MODEL": self.model, "STREAM": stream.ref},
        )
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["firehose:PutRecord"], resources=[stream.attr_arn])
        )
        self._subscribe(function, deliver)
        alias = lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)
        integration = integrations.HttpLambdaIntegration(
            "Integration", alias, timeout=cdk.Duration.seconds(2)
        )
        api = http.HttpApi(
            self,
            "Api",
            default_integration=integration,
            default_authorizer=authorizers.HttpIamAuthorizer(),
        )
        api.add_routes(
            path="/open/{name}",
            methods=[http.HttpMethod.GET],
            integration=integration,
            authorizer=http.HttpNoneAuthorizer(),
        )
        cdk.CfnOutput(self, "EndpointFunctionName", value=function.function_name)
        cdk.CfnOutput(self, "EndpointUrl", value=api.api_endpoint)
        cdk.CfnOutput(self, "ApiId", value=api.api_id)

    def _subscribe(self, function: lambda_.Function, deliver: iam.Role) -> None:
        """Carry the lines of the endpoint's log that have a field `asked` to the bucket."""
        parts = firehose.CfnDeliveryStream
        processors = {
            "Decompression": ("CompressionFormat", "GZIP"),
            "CloudWatchLogProcessing": ("DataMessageExtraction", "true"),
        }
        stream = firehose.CfnDeliveryStream(
            self,
            "FromLogs",
            delivery_stream_type="DirectPut",
            extended_s3_destination_configuration=parts.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.bucket.bucket_arn,
                role_arn=deliver.role_arn,
                prefix="from-logs/",
                processing_configuration=parts.ProcessingConfigurationProperty(
                    enabled=True,
                    processors=[
                        parts.ProcessorProperty(
                            type=kind,
                            parameters=[
                                parts.ProcessorParameterProperty(
                                    parameter_name=name, parameter_value=value
                                )
                            ],
                        )
                        for kind, (name, value) in processors.items()
                    ],
                ),
            ),
        )
        sender = iam.Role(self, "Sender", assumed_by=iam.ServicePrincipal("logs.amazonaws.com"))
        logs.CfnSubscriptionFilter(
            self,
            "Asking",
            log_group_name=function.log_group.log_group_name,
            filter_pattern="{ $.asked = * }",
            destination_arn=stream.attr_arn,
            role_arn=sender.role_arn,
        )

    def _watch(self, machine: sfn.StateMachine) -> None:
        topic = sns.Topic(self, "Topic")
        inbox = sqs.Queue(self, "Inbox")
        dead = sqs.Queue(self, "DeadLetters", enforce_ssl=True)
        topic.add_subscription(subscriptions.SqsSubscription(inbox))
        monitor = self._function("Monitor", "monitor", timeout=cdk.Duration.seconds(20))
        monitor.add_to_role_policy(
            iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"])
        )
        events.Rule(
            self,
            "Hourly",
            schedule=events.Schedule.rate(cdk.Duration.hours(1)),
            targets=[targets.LambdaFunction(monitor, retry_attempts=0)],
        )
        drift = cloudwatch.Metric(
            namespace="Noria/sample",
            metric_name="Drift",
            statistic="Maximum",
            period=cdk.Duration.hours(1),
        )
        alarm = drift.create_alarm(
            self,
            "Drift",
            threshold=0.2,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        failed = machine.metric_failed(period=cdk.Duration.hours(1)).create_alarm(
            self,
            "ExecutionsFailed",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        failed.add_alarm_action(actions.SnsAction(topic))
        events.Rule(
            self,
            "Restart",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                resources=[alarm.alarm_arn],
                detail={"state": {"value": ["ALARM"]}},
            ),
            targets=[
                targets.SfnStateMachine(
                    machine,
                    dead_letter_queue=dead,
                    retry_attempts=0,
                    input=events.RuleTargetInput.from_object(
                        {
                            "do": "brief",
                            "as_of": events.EventField.from_path("$.time"),
                            "cause": {
                                "kind": "alarm",
                                "alarm": events.EventField.from_path("$.detail.alarmName"),
                                "reason": events.EventField.from_path("$.detail.state.reason"),
                            },
                        }
                    ),
                )
            ],
        )
        events.Rule(
            self,
            "Asked",
            event_pattern=events.EventPattern(source=["sample.people"]),
            targets=[
                targets.SfnStateMachine(
                    machine,
                    dead_letter_queue=dead,
                    input=events.RuleTargetInput.from_event_path("$.detail"),
                )
            ],
        )
        events.Rule(
            self,
            "RunFailed",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.state_machine_arn],
                },
            ),
            targets=[targets.SqsQueue(inbox)],
        )
        outputs = {
            "TopicArn": topic.topic_arn,
            "InboxUrl": inbox.queue_url,
            "DeadLettersUrl": dead.queue_url,
            "MonitorFunctionName": monitor.function_name,
            "DriftAlarmName": alarm.alarm_name,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)


class Strange(cdk.Stack):
    """A stack with things that the local cloud must refuse, by name."""

    def __init__(self, app: cdk.App) -> None:
        super().__init__(app, "strange")
        cdk.CfnResource(self, "Fleet", type="AWS::GameLift::Fleet", properties={"Name": "ships"})
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        definition = (
            '{"StartAt":"Odd","States":{"Odd":{"Type":"Teleport","End":true},'
            '"Sum":{"Type":"Pass","Parameters":{"a.$":"States.Telepathy(1)"},"End":true}}}'
        )
        sfn.CfnStateMachine(self, "Weird", role_arn=role.role_arn, definition_string=definition)


def main(out: str) -> None:
    app = cdk.App(outdir=out)
    Sample(app, "sample", model="champion")
    Strange(app)
    app.synth()
    changed = cdk.App(outdir=f"{out}/changed")
    Sample(changed, "sample", model="second")
    changed.synth()


if __name__ == "__main__":
    main(sys.argv[1])
