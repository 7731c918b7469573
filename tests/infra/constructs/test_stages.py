"""Every function: its own narrow role, its logs, its environment, and a size that Lambda takes."""

import pytest

from infra.constructs.stages import ENDPOINT
from infra.lifecycle import STAGES
from infra.packaging.assets import ROOT, directory_size
from infra.packaging.layers import LAYERS, SIZE_LIMIT
from noria.lifecycle.environment import Environment
from tests.infra.template import Template, as_list, reference

# Actions that AWS offers no resource for, each with what bounds it instead.
UNBOUNDED = {
    "cloudwatch:PutMetricData": "a condition on the namespace",
    "cloudwatch:GetMetricData": "reads numbers only; metrics have no ARN",
    "logs:CreateLogDelivery": "Step Functions' own logging, has no resource",
    "logs:GetLogDelivery": "as above",
    "logs:UpdateLogDelivery": "as above",
    "logs:DeleteLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "as above",
    "logs:DescribeResourcePolicies": "as above",
    "logs:DescribeLogGroups": "as above",
    "xray:PutTraceSegments": "tracing has no resource",
    "xray:PutTelemetryRecords": "tracing has no resource",
    "xray:GetSamplingRules": "tracing has no resource",
    "xray:GetSamplingTargets": "tracing has no resource",
}


def test_each_row_is_a_function(penguins: Template) -> None:
    assert set(penguins.functions()) == {row.name for row in (*STAGES, ENDPOINT)}


def test_each_function_has_a_role_of_its_own(penguins: Template) -> None:
    roles = [reference(f["Role"]) for f in penguins.properties("AWS::Lambda::Function")]
    assert len(roles) == len(set(roles))


def test_only_what_has_no_resource_is_granted_on_everything(house_prices: Template) -> None:
    for _, statement in house_prices.statements():
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= set(UNBOUNDED), statement


def test_no_action_is_a_wildcard(house_prices: Template) -> None:
    for _, statement in house_prices.statements():
        assert not [a for a in as_list(statement["Action"]) if "*" in a], statement


def test_no_role_has_a_managed_policy(penguins: Template) -> None:
    assert not [r for r in penguins.properties("AWS::IAM::Role") if r.get("ManagedPolicyArns")]


def test_metrics_are_put_in_the_stacks_namespace_only(penguins: Template) -> None:
    (condition,) = [
        statement["Condition"]
        for _, statement in penguins.statements()
        if "cloudwatch:PutMetricData" in as_list(statement["Action"])
    ]
    assert condition == {"StringEquals": {"cloudwatch:namespace": "Noria/penguins"}}


@pytest.mark.parametrize(
    ("function", "cannot"),
    [
        ("collect", "secretsmanager:GetSecretValue"),
        ("train", "lambda:UpdateAlias"),
        ("check_canary", "lambda:UpdateAlias"),
        ("check_canary", "lambda:InvokeFunction"),
        ("replay_requests", "lambda:UpdateAlias"),
        ("monitor", "lambda:UpdateFunctionConfiguration"),
        ("monitor", "lambda:UpdateAlias"),
        ("promote", "lambda:DeleteFunction"),
    ],
)
def test_what_a_function_cannot_do(penguins: Template, function: str, cannot: str) -> None:
    assert cannot not in penguins.may(function)


def test_versions_are_asked_by_number_and_never_by_the_alias(penguins: Template) -> None:
    arns = [str(arn) for arn in penguins.may("replay_requests")["lambda:InvokeFunction"]]
    assert len(arns) == 9
    assert {arn.rpartition(":")[2][:2] for arn in arns} == {f"{first}*" for first in range(1, 10)}


def test_a_check_takes_the_lease_back_and_writes_nothing_else_of_the_registry(
    penguins: Template,
) -> None:
    written = [str(arn) for arn in penguins.may("check_canary")["s3:PutObject"]]
    assert [arn.count("/registry/lease.json") for arn in written if "registry" in arn] == [1]


def test_only_the_registrys_keepers_write_to_it(penguins: Template) -> None:
    writers = {
        name
        for name in penguins.functions()
        for arn in penguins.may(name).get("s3:PutObject", [])
        if "/registry/" in str(arn)
    }
    pins = str(penguins.may("endpoint")["s3:PutObject"])
    assert pins.count("/registry/served/") == pins.count("/registry/") == 1
    explorers = {"collect", "transform", "analyse", "engineer_features", "explore", "train"}
    assert writers & (explorers | {"monitor", "score_holdout"}) == {"train"}
    counts = [arn for arn in penguins.may("train")["s3:PutObject"] if "/registry/" in str(arn)]
    assert [str(arn).count("/registry/versions.json*") for arn in counts] == [1]


def test_versions_are_deleted_and_never_the_function(penguins: Template) -> None:
    for name in ("publish_challenger", "change_champion"):
        (arn,) = penguins.may(name)["lambda:DeleteFunction"]
        assert arn["Fn::Join"][1][-1] == ":*", name
        (pins,) = penguins.may(name)["s3:DeleteObject"]
        assert "/registry/served/" in str(pins), name


def test_the_monitor_has_others_mend(penguins: Template) -> None:
    (keeper,) = penguins.may("monitor")["lambda:InvokeFunction"]
    assert penguins.handler_of(reference(keeper)) == "change_champion"
    variables = penguins.functions()["monitor"]["Environment"]["Variables"]
    assert reference(variables["NORIA_KEEPER"]) == reference(keeper)
    assert {"NORIA_STACK_ID", "NORIA_ENDPOINT_FUNCTION"} <= set(variables)


def test_the_endpoint_is_marked_by_more_than_its_code(penguins: Template) -> None:
    marks = {
        name: penguins.functions()[name]["Environment"]["Variables"]["NORIA_CODE_VERSION"]
        for name in ("endpoint", "monitor", "train")
    }
    assert marks["monitor"] == marks["train"] != marks["endpoint"]


def test_collect_reads_the_contracts_secrets_only(house_prices: Template) -> None:
    (arn,) = house_prices.may("collect")["secretsmanager:GetSecretValue"]
    assert str(arn).endswith("secret:noria/sales-??????']]}")


def test_each_function_keeps_its_logs_for_a_while(penguins: Template) -> None:
    groups = penguins.resources("AWS::Logs::LogGroup")
    for function in penguins.properties("AWS::Lambda::Function"):
        group = groups[reference(function["LoggingConfig"]["LogGroup"])]
        assert group["Properties"]["RetentionInDays"] > 0
    assert all(group["Properties"].get("RetentionInDays") for group in groups.values())


def test_each_function_logs_json_and_is_traced(penguins: Template) -> None:
    for name, function in penguins.functions().items():
        logging = {k: v for k, v in function["LoggingConfig"].items() if k != "LogGroup"}
        assert logging == {
            "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"
        }, name  # fmt: skip
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert {"xray:PutTraceSegments", "xray:PutTelemetryRecords"} <= set(penguins.may(name))


def test_environments_are_made_from_the_model(house_prices: Template) -> None:
    known = Environment(**dict.fromkeys(Environment.model_fields, "x")).to_variables()
    for name, function in house_prices.functions().items():
        variables = function["Environment"]["Variables"]
        assert set(variables) <= {*known, "OMP_WAIT_POLICY", "ORT_DISABLE_TELEMETRY"}, name
        assert {"NORIA_BUCKET", "NORIA_STACK", "NORIA_CODE_VERSION"} <= set(variables), name


def test_waiting_threads_of_training_do_not_spin(penguins: Template) -> None:
    functions = penguins.functions()
    for name in ("analyse", "explore", "train", "evaluate"):
        assert functions[name]["Environment"]["Variables"]["OMP_WAIT_POLICY"] == "PASSIVE"


def test_what_loads_onnx_runtime_sends_no_telemetry(house_prices: Template) -> None:
    """GIVEN the layers that hold ONNX Runtime THEN each function on one of them turns it off."""
    holders = {
        name for name in LAYERS
        if "onnxruntime" in (ROOT / "layers" / name / "requirements.in").read_text().splitlines()
    }  # fmt: skip
    loaders = {row.name for row in (*STAGES, ENDPOINT) if row.layer in holders}
    assert {"endpoint", "score_holdout"} <= loaders
    functions = house_prices.functions()
    for name in loaders:
        assert functions[name]["Environment"]["Variables"]["ORT_DISABLE_TELEMETRY"] == "1", name


def test_the_contract_says_how_much_memory_all_rows_get(penguins: Template) -> None:
    functions = penguins.functions()
    for name in ("transform", "analyse", "engineer_features", "train"):
        assert functions[name]["MemorySize"] == 3008
    assert functions["admit"]["MemorySize"] < 3008


def test_the_endpoint_starts_with_the_champion(penguins: Template) -> None:
    variables = penguins.functions()["endpoint"]["Environment"]["Variables"]
    assert variables["NORIA_MODEL"] == "champion"
    assert "NORIA_LABELS_STREAM" in variables


def test_functions_run_on_lambdas_platform(penguins: Template) -> None:
    for function in penguins.properties("AWS::Lambda::Function"):
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]


def test_a_function_with_its_layers_fits(penguins: Template) -> None:
    layers = penguins.resources("AWS::Lambda::LayerVersion")
    for name, function in penguins.functions().items():
        parts = [penguins.asset_of(function["Code"])]
        used = [layers[reference(layer)]["Properties"] for layer in function["Layers"]]
        parts += [penguins.asset_of(layer["Content"]) for layer in used]
        size = sum(map(directory_size, parts))
        assert size < SIZE_LIMIT, f"{name}: {size / 2**20:.0f} MiB of {SIZE_LIMIT / 2**20:.0f}"


def test_the_function_asset_holds_functions_and_nothing_else(penguins: Template) -> None:
    function = penguins.functions()["admit"]
    asset = penguins.asset_of(function["Code"])
    assert [path.name for path in asset.iterdir()] == ["functions"]
    assert not [path for path in asset.rglob("*") if path.suffix == ".pyc"]
