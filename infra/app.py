"""The CDK app: a stack for each contract. `cdk` and `make synth` run it, Python calls it."""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.packaging.assets import (
    ROOT,
    code_version,
    digest_of,
    directory_size,
    fingerprint,
    functions_asset,
    layer_assets,
)
from infra.packaging.layers import Platform
from infra.packaging.locks import building
from infra.settings import FEATURE_FLAGS, Settings, use_bundled_node
from noria.errors import NoriaError

if TYPE_CHECKING:
    from aws_cdk import App

SYNTHESIZED = ROOT / ".noria" / "synth"
# What a template is made by; the command line and the local cloud only use it.
MADE_BY = ("*.py", "constructs/*.py", "packaging/*.py")


def synthesize(
    outdir: Path | None, contracts: Sequence[Path], platform: str | Platform = Platform.HOST
) -> Path:
    """Synthesize into `outdir/<key>` (default .noria/synth) and return that cloud assembly.

    The key covers the contracts, the assets and the app: what has not changed is not made again.
    """
    settings = Settings(contracts=tuple(contracts), platform=Platform(platform))
    problems = settings.problems()
    target = (outdir or SYNTHESIZED) / _key(settings, [p.model_dump_json() for p in problems])
    with building(target):
        if target.is_dir():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".synth-", dir=target.parent) as temporary:
            assembly = Path(temporary) / "assembly"
            build(settings, outdir=str(assembly), stage_assets=False).synth()
            assembly.rename(target)
    return target


def build(settings: Settings, *, stage_assets: bool = True, **app: Any) -> "App":
    """Make the app; unstaged assets stay where they were built, for use on this machine only."""
    use_bundled_node()
    import aws_cdk as cdk

    from infra.stack import ProblemStack

    staging = {"aws:cdk:disable-asset-staging": not stage_assets}
    made = cdk.App(analytics_reporting=False, context=FEATURE_FLAGS | staging, **app)
    layers = layer_assets(settings.platform)
    for problem in settings.problems():
        ProblemStack(made, problem.name, problem=problem, layers=layers, code=functions_asset())
    return made


def _key(settings: Settings, problems: Sequence[str]) -> str:
    return digest_of(
        *problems,
        *(asset.key for asset in layer_assets(settings.platform).values()),
        code_version(),
        fingerprint(app_modules(), ROOT),
        (ROOT / "requirements.lock").read_text(),
        str(ROOT),
    )


def app_modules() -> list[Path]:
    """The files of the modules that a template is made by, in order."""
    return sorted(file for pattern in MADE_BY for file in (ROOT / "infra").glob(pattern))


def main() -> None:
    """Synthesize as the CDK CLI asks by its environment, or the contracts named as arguments."""
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    settings = Settings.from_context(
        sys.argv[1:] or context.get("problems"), context.get("platform")
    )
    outdir = os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))
    assembly = build(settings, outdir=outdir).synth()
    for name, asset in layer_assets(settings.platform).items():
        print(f"layer {name}: {directory_size(asset.path) / 2**20:.1f} MiB", file=sys.stderr)
    for stack in assembly.stacks:
        print(f"{stack.stack_name}: {stack.template_full_path}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except NoriaError as error:
        sys.exit(str(error))
