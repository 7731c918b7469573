"""Help is readable on a terminal of 80 columns."""

import re

import pytest
import typer

from infra.cli.main import app
from tests.infra.cli.stack import lines, noria


def every_command(commands: typer.Typer, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [words]
    for command in commands.registered_commands:
        assert command.callback is not None
        found.append((*words, command.name or command.callback.__name__.replace("_", "-")))
    for group in commands.registered_groups:
        assert group.typer_instance is not None
        assert group.name is not None
        found += every_command(group.typer_instance, (*words, group.name))
    return found


@pytest.mark.parametrize("words", every_command(app), ids=" ".join)
def test_help_fits_and_reads_as_sentences(words: tuple[str, ...]) -> None:
    done = noria(*words, "--help", width=80)
    assert done.exit_code == 0
    shown = lines(done)
    assert max(map(len, shown)) <= 80
    assert "…" not in done.stdout
    usage = next(line for line in shown if "Usage:" in line)
    assert "[[" not in usage
    prose = "\n".join(line.strip() for line in shown if not re.match(r"[╭│╰]", line))
    paragraphs = re.split(r"\n\s*\n", prose)[1:]
    assert paragraphs
    for paragraph in paragraphs:
        # A line that breaks far from the edge was broken by the code's width, not the terminal's.
        *broken, _ = [line for line in paragraph.split("\n") if line] or [""]
        assert not [line for line in broken if len(line) <= 55], paragraph
