"""`noria`: what people do with a problem, on AWS or on the local cloud."""

import inspect
import os

import typer

from infra.cli import (
    console,
    data,
    demo,
    experiments,
    features,
    lineage,
    local,
    models,
    problem,
    runs,
)
from infra.cli.errors import ReportingGroup

# Commands load ONNX Runtime when they need it; it would send usage data to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

app = typer.Typer(
    name="noria",
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A problem contract becomes a whole machine-learning lifecycle, on AWS or on a laptop.\n\n"
    "Commands on a STACK go to AWS; with [bold]--local[/bold], to the cloud that "
    "`noria local up` runs.",
)
app.add_typer(problem.app, name="problem")
app.add_typer(local.app, name="local")
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
app.add_typer(experiments.app, name="experiments")
app.add_typer(models.app, name="models")
app.command("console")(console.console)
app.command("demo")(demo.demo)
app.command("run")(runs.run)
app.command("runs")(runs.runs)
app.command("report")(runs.report)
app.command("lineage")(lineage.lineage)
app.command("predict")(runs.predict)
app.command("approve")(runs.approve)


def _unwrap_help(commands: typer.Typer) -> None:
    """Let a terminal break the lines of help texts, which are written to the width of the code."""
    for command in commands.registered_commands:
        told = inspect.cleandoc((command.callback and command.callback.__doc__) or "")
        command.help = "\n\n".join(" ".join(one.split()) for one in told.split("\n\n"))
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            _unwrap_help(group.typer_instance)


_unwrap_help(app)


if __name__ == "__main__":
    app()
