"""The endpoint's function: SnapStart where the contract asks for it, and nowhere else."""

from infra.cli.contract_costs import ENDPOINT_MEMORY
from tests.infra.template import Template

LARGEST_DISK = 512  # MB that a snapshot takes


def test_published_versions_are_snapshots_where_the_contract_says_so(
    house_prices: Template,
) -> None:
    asked = {name: one["SnapStart"] for name, one in house_prices.functions().items()
             if "SnapStart" in one}  # fmt: skip
    assert asked == {"endpoint": {"ApplyOn": "PublishedVersions"}}


def test_nobody_pays_for_snapshots_unasked(penguins: Template) -> None:
    assert not [one for one in penguins.properties("AWS::Lambda::Function") if "SnapStart" in one]


def test_the_endpoint_is_what_a_snapshot_can_hold(house_prices: Template) -> None:
    """No provisioned concurrency, no file system, a small disk; calls go to a version's alias."""
    endpoint = house_prices.functions()["endpoint"]
    assert endpoint.get("EphemeralStorage", {"Size": LARGEST_DISK})["Size"] <= LARGEST_DISK
    assert "FileSystemConfigs" not in endpoint
    [alias] = house_prices.properties("AWS::Lambda::Alias")
    assert "ProvisionedConcurrencyConfig" not in alias
    assert "Version" in str(alias["FunctionVersion"])


def test_the_price_that_is_told_is_that_of_the_endpoints_memory(house_prices: Template) -> None:
    assert house_prices.functions()["endpoint"]["MemorySize"] == ENDPOINT_MEMORY
