"""Where a batch of files is in the bucket: what comes in, what is at work, what goes out."""

from dataclasses import dataclass

INCOMING = "batch-incoming/"  # files that people want answered
WORK = "batch-work/"  # between the steps; a rule of the bucket deletes it after a while
ANSWERS = "batch/"


@dataclass(frozen=True)
class BatchKeys:
    """The objects of one batch; files and their parts are counted from 0, in order."""

    batch: str

    @property
    def plan(self) -> str:
        """Which files by which model: written once, so that no repetition changes it."""
        return f"{self._work}plan.json"

    @property
    def files(self) -> str:
        """The items of the map that reads the files."""
        return f"{self._work}files.json"

    @property
    def parts(self) -> str:
        """The items of the map that answers their parts."""
        return f"{self._work}parts.json"

    @property
    def counts(self) -> str:
        """The folder with a document per part that is answered."""
        return f"{self._work}counts/"

    @property
    def manifest(self) -> str:
        """What the answers are; it is written last."""
        return f"{ANSWERS}{self.batch}/manifest.json"

    @property
    def files_read(self) -> str:
        """The folder with a document per file that is read."""
        return f"{self._work}files/"

    def file(self, number: int) -> str:
        """What a file held; it is written when all its parts are."""
        return f"{self.files_read}{number:05}.json"

    def input_rows(self, number: int, part: int) -> str:
        """A part's rows as the file has them, as Parquet."""
        return f"{self._work}rows/{_named(number, part)}.parquet"

    def request_rows(self, number: int, part: int) -> str:
        """The same rows as a request would have them."""
        return f"{self._work}rows/{_named(number, part)}.jsonl.gz"

    def outcomes(self, number: int, part: int) -> str:
        """An answer or a reason for each row of a part."""
        return f"{self._work}outcomes/{_named(number, part)}.jsonl.gz"

    def answers(self, number: int, part: int) -> str:
        """A part's rows with their answers, as Parquet."""
        return f"{ANSWERS}{self.batch}/part-{_named(number, part)}.parquet"

    def counted(self, number: int, part: int) -> str:
        """How many rows of a part were answered; it is written when its answers are."""
        return f"{self.counts}{_named(number, part)}.json"

    def failure(self, number: int, part: int | None) -> str:
        """Why a file could not be read, or a part not be answered."""
        name = f"{number:05}" if part is None else _named(number, part)
        return f"{self._work}failures/{name}.json"

    @property
    def _work(self) -> str:
        return f"{WORK}{self.batch}/"


def _named(number: int, part: int) -> str:
    return f"{number:05}-{part:05}"
