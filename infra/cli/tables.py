"""Tables for terminals of any width: what a person copies is never folded or cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, str]
PADDING = 3  # a rule and two blanks for each column
READABLE = 24  # characters that a column of sentences needs at least


@dataclass(frozen=True)
class Columns:
    """A table's columns, in order, the one that a person copies first.

    `cut` names those that go first where the width is too small; `wrapped` is one of sentences,
    which may go over several lines and takes what the others leave.
    """

    names: Sequence[str]
    cut: Sequence[str] = ()
    wrapped: str = ""

    def that_fit(self, rows: Sequence[Row], width: int) -> list[str] | None:
        """The columns for a width; None where too much would have to go."""
        left = list(self.names)
        for name in [*self.cut, ""]:
            if self.width(rows, left) <= width:
                return left
            left = [one for one in left if one != name]
        return None

    def width(self, rows: Sequence[Row], names: Sequence[str]) -> int:
        """The least width of a table with these columns."""
        return sum(self._width(rows, name) + PADDING for name in names) + 1

    def _width(self, rows: Sequence[Row], name: str) -> int:
        found = max([len(name), *(len(row[name]) for row in rows)])
        return min(found, READABLE) if name == self.wrapped else found


def print_table(columns: Columns, rows: Sequence[Row], console: Console | None = None) -> None:
    """Print rows with the columns that fit, or one below the other where too few do.

    A file or a pipe gets all of them.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = max(columns.width(rows, columns.names), console.width)
        console.print(_table(columns, columns.names, rows))
        return
    names = columns.that_fit(rows, console.width)
    if names is None:
        _print_below(columns, rows, console)
        return
    console.print(_table(columns, names, rows))
    hidden = ", ".join(name for name in columns.names if name not in names)
    if hidden:
        console.print(f"not shown for want of width: {hidden}", style="dim", highlight=False)


def _table(columns: Columns, names: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table()
    for name in names:
        table.add_column(name, no_wrap=name != columns.wrapped, overflow="fold")
    for row in rows:
        table.add_row(*(escape(row[name]) for name in names))
    return table


def _print_below(columns: Columns, rows: Sequence[Row], console: Console) -> None:
    """Print what a person copies on a line of its own, however long, and the rest below it."""
    first, *others = columns.names
    for row in rows:
        console.print(escape(row[first]), highlight=False, soft_wrap=True)
        told = ", ".join(f"{name}: {row[name]}" for name in others if row[name])
        console.print(f"  {escape(told)}", highlight=False)
