"""How far a batch is: bars on a terminal, a line per change elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class BatchProgress:
    """Files that are read, then parts of them that are answered."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._bars: dict[str, TaskID] = {}
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def files(self, done: int, of: int) -> None:
        """Tell how many files are read."""
        self._tell("files read", done, of)

    def parts(self, done: int, of: int) -> None:
        """Tell how many parts are answered."""
        self._tell("parts answered", done, of)

    def _tell(self, what: str, done: int, of: int) -> None:
        if self._told.get(what) == done:
            return
        self._told[what] = done
        if not self._console.is_terminal:
            self._console.print(f"  {done} of {of} {what}", highlight=False)
            return
        if what not in self._bars:
            self._bars[what] = self._progress.add_task(what, total=of)
        self._progress.update(self._bars[what], completed=done)
