"""Deploying a stack of a synthesized assembly: checked, its assets uploaded, then created."""

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from infra.local.cloudformation.assembly import Assembly
from infra.local.cloudformation.bootstrap import bootstrap, upload
from infra.local.cloudformation.stacks import create_or_update, known_types
from infra.local.cloudformation.template_check import check


def deploy(
    assembly: Assembly, clients: Callable[[str], Any],
    directories: MutableMapping[tuple[str, str], Path],
) -> dict[str, str]:  # fmt: skip
    """Create the stack, or update it if it exists; give its outputs.

    Raises UnsupportedTemplateError before anything is created, DeploymentError after.
    """
    check(assembly.template, known_types())
    bootstrap(clients("ssm"))
    upload(assembly, clients("s3"), directories)
    return create_or_update(
        assembly.template, assembly.stack_name, account=assembly.account, region=assembly.region
    )
