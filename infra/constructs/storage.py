"""Where a problem's data lives: one bucket, one Glue database, two delivery streams.

The feature store's tables are not here: it makes one for each version of a feature set itself, and
the database takes them along when it is deleted.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from constructs import Construct

from infra.constructs.bucket import data_bucket
from noria.contracts import Problem

JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
TEXT_FORMATS = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
)

# JSON-lines tables by prefix; a record may hold more, and Athena reads what is named here.
JSON_TABLES: Mapping[str, Mapping[str, str]] = {
    "experiments": {
        "run_id": "string",
        "iteration": "int",
        "candidate": "string",
        "recipe": "string",
        "trial": "string",
        "rung": "int",
        "outcome": "string",
        "metric": "string",
        "score": "double",
        "std": "double",
        "scores": "array<double>",
        "setting": "string",
        "blend": "string",
        "parameters": "string",
        "trials": "string",
        "learning_curve": "string",
        "rows": "int",
        "features": "int",
        "seconds": "double",
        "fit_seconds": "double",
        "score_seconds": "double",
        "memory_megabytes": "double",
        "artifact_bytes": "bigint",
        "seed": "int",
        "dataset_sha256": "string",
        "versions": "map<string,string>",
        "error": "string",
        "code_version": "string",
    },
    "predictions": {
        "prediction_id": "string",
        "model_version": "string",
        "function_version": "string",
        "served_at": "string",
        "inputs": "string",
        "prediction": "string",
        "score": "string",
    },
    "labels": {"prediction_id": "string", "value": "string", "received_at": "string"},
    "monitoring": {
        "at": "string",
        "model_version": "string",
        "decision": "string",
        "reasons": "array<string>",
        "predictions": "int",
        "compared": "int",
        "drift": "double",
        "prediction_drift": "double",
        "columns": "map<string,double>",
        "quality": "double",
        "quality_low": "double",
        "quality_high": "double",
        "labels": "int",
        "labels_unmatched": "int",
        "labels_of_others": "int",
        "records_refused": "int",
        "new_rows": "int",
        "model_age_days": "double",
    },
}
STREAMED = ("predictions", "labels")
FROM_LOGS = ("predictions",)  # lines of the endpoint's log; callers wait until labels are stored
ONLINE_SUFFIX = "_online"  # as noria.aws.feature_store.dynamodb_online knows it


class Storage(Construct):
    """The bucket, the tables over its prefixes, and the streams that append to them."""

    def __init__(self, scope: Construct, construct_id: str, *, problem: Problem) -> None:
        super().__init__(scope, construct_id)
        self.bucket = data_bucket(self, problem)
        self.database_name = f"noria_{problem.name.replace('-', '_')}"
        self.database = self._database()
        for name, columns in JSON_TABLES.items():
            self._table(name, columns)
        self.streams = {name: self._stream(name) for name in STREAMED}
        self.online = self._online() if problem.features.windows else None

    def objects(self, *prefixes: str) -> list[str]:
        """ARNs of everything below the prefixes."""
        return [self.bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]

    def catalog_arns(self) -> list[str]:
        """ARNs that a Glue call on this database's tables is checked against."""
        stack = cdk.Stack.of(self)
        names = ("catalog", f"database/{self.database_name}", f"table/{self.database_name}/*")
        return [f"arn:{stack.partition}:glue:{stack.region}:{stack.account}:{n}" for n in names]

    def stream_arn(self, name: str) -> str:
        """ARN of the delivery stream that appends to a table."""
        return self.streams[name].attr_arn

    def _database(self) -> glue.CfnDatabase:
        return glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="Tables over the data bucket"
            ),
        )

    def _table(self, name: str, columns: Mapping[str, str]) -> None:
        """A table of JSON lines."""
        input_format, output_format = TEXT_FORMATS
        table = glue.CfnTable(
            self,
            f"{name.title()}Table",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=_columns(columns),
                    location=f"s3://{self.bucket.bucket_name}/{name}/",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=JSON_SERDE,
                        parameters={"serialization.format": "1"},
                    ),
                    input_format=input_format,
                    output_format=output_format,
                ),
            ),
        )
        table.add_resource_dependency(self.database)

    def _online(self) -> dynamodb.Table:
        """The latest values per entity; on demand, so that it costs nothing while idle.

        It is filled from the files again, so it goes with the stack.
        """
        return dynamodb.Table(
            self,
            "OnlineFeatures",
            # Functions know the database's name, and this one follows from it.
            table_name=f"{self.database_name}{ONLINE_SUFFIX}",
            partition_key=dynamodb.Attribute(name="entity", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _stream(self, name: str) -> firehose.CfnDeliveryStream:
        from_logs = name in FROM_LOGS
        role = iam.Role(
            self,
            f"{name.title()}StreamRole",
            assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:AbortMultipartUpload"],
                resources=self.objects(f"{name}/", f"{name}-errors/"),
            )
        )
        stream = firehose.CfnDeliveryStream(
            self,
            # A stream cannot be made to read log events later: one that does is another stream.
            f"{name.title()}{'LogStream' if from_logs else 'Stream'}",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                    key_type="AWS_OWNED_CMK"
                )
            ),
            extended_s3_destination_configuration=(
                firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                    bucket_arn=self.bucket.bucket_arn,
                    role_arn=role.role_arn,
                    prefix=f"{name}/",
                    error_output_prefix=f"{name}-errors/",
                    compression_format="UNCOMPRESSED",
                    processing_configuration=_messages() if from_logs else None,
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=60, size_in_m_bs=5
                    ),
                )
            ),
        )
        # Firehose takes the role as it is at creation: its policy has to be there by then.
        stream.node.add_dependency(role)
        return stream


def _messages() -> firehose.CfnDeliveryStream.ProcessingConfigurationProperty:
    """Take the lines out of what a subscription of CloudWatch Logs sends, and write them alone."""
    parameters = {
        "Decompression": ("CompressionFormat", "GZIP"),
        "CloudWatchLogProcessing": ("DataMessageExtraction", "true"),
    }
    return firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
        enabled=True,
        processors=[
            firehose.CfnDeliveryStream.ProcessorProperty(
                type=kind,
                parameters=[
                    firehose.CfnDeliveryStream.ProcessorParameterProperty(
                        parameter_name=name, parameter_value=value
                    )
                ],
            )
            for kind, (name, value) in parameters.items()
        ],
    )


def _columns(named: Mapping[str, str]) -> Sequence[glue.CfnTable.ColumnProperty]:
    return [glue.CfnTable.ColumnProperty(name=n.lower(), type=kind) for n, kind in named.items()]
