"""Where data comes from: a section per kind of source, and how sources are joined."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import Field

from noria.contracts.cross_checks import Told, reads
from noria.contracts.field_types import (
    ColumnName,
    Duration,
    Section,
    SourceName,
    Texts,
    ZoneName,
    lasting,
)

#: File formats, and the suffixes that tell them; `NAME_reader` of `noria.core.ingestion` reads one.
FILE_FORMATS = {
    "csv": ("csv", "tsv", "txt"),
    "parquet": ("parquet", "pq"),
    "json": ("json", "jsonl", "jsonlines", "ndjson"),
    "excel": ("xlsx", "xlsm", "xlsb", "xls", "ods"),
}
FORMAT_OF_SUFFIX = {suffix: name for name, known in FILE_FORMATS.items() for suffix in known}
if TYPE_CHECKING:
    FileFormat = str
else:
    FileFormat = Literal[tuple(FILE_FORMATS)]
URL_PATTERN = r"^https?://"
SHEET_PATTERN = r"^[A-Za-z0-9_-]{10,}$"


class Join(Section):
    """How a source is joined to the primary: by key, and as of a time where given."""

    on: list[ColumnName] = Field(min_length=1)
    """The key: columns that both sides have."""
    as_of: ColumnName | None = None
    """The source's time column: each row gets the latest values that are not after its event
    time."""
    tolerance: Duration | None = None
    """How old such values may be at most; without it any age."""
    format: Texts = []
    """How `as_of` is written: strptime formats or epoch_s, epoch_ms, epoch_us, epoch_ns (default:
    ISO 8601, or what all values agree on)."""
    timezone: ZoneName | None = None
    """The IANA zone of `as_of` times without one (default: UTC)."""

    @reads("as_of", "tolerance", "format", "timezone")
    def _needs_as_of(self) -> Told:
        for field in ("tolerance", "format", "timezone"):
            if getattr(self, field) and self.as_of is None:
                yield "", f"{field} needs as_of: name the source's time column there"


class BaseSource(Section):
    """What every kind of source has.

    A kind is a subclass, an entry of `Source`, and a module of `noria.ingestion.sources`.
    """

    #: Fields that bound a fetch: a run may change them, and no row depends on them.
    limits: ClassVar[frozenset[str]] = frozenset()
    #: Whether people wrote the files, in a format of theirs; false where Noria writes the rows.
    holds_files: ClassVar[bool] = True

    name: SourceName
    """The source's name, in lower case; files of kind s3 lie below `incoming/<name>/`."""
    primary: bool = False
    """Whether the source's rows are the examples: true for exactly one."""
    format: FileFormat | None = None
    """How files are written (default: by their suffix)."""
    join: Join | None = None
    """How the source is joined to the primary one."""


class S3Source(BaseSource):
    """Files that people drop under ``incoming/<name>/`` of the stack's bucket."""

    kind: Literal["s3"]
    """Files in the stack's bucket."""


class HttpSource(BaseSource):
    """A file at a public https address."""

    limits = frozenset({"maximum_bytes", "maximum_seconds"})
    kind: Literal["http"]
    """A file at a public https address."""
    url: str = Field(pattern=URL_PATTERN, max_length=2000)
    """The address."""
    insecure: bool = False
    """Whether plain http is accepted."""
    maximum_bytes: int = Field(default=500_000_000, gt=0)
    """Bytes that are fetched at most. Convention: held in memory, they fit Lambda's least."""
    maximum_seconds: int = Field(default=600, gt=0, le=840)
    """Seconds that the fetch takes at most; Lambda ends a function after 900."""

    @reads("url", "insecure")
    def _https_unless_said(self) -> Told:
        if self.url.startswith("http://") and not self.insecure:
            yield "", "url is plain http: use https, or set insecure: true to accept it"


class GoogleSheetSource(BaseSource):
    """A Google sheet: published, or private with a service account from Secrets Manager."""

    holds_files = False
    kind: Literal["google_sheet"]
    """A tab of a Google sheet."""
    sheet: str = Field(pattern=SHEET_PATTERN)
    """The sheet's id: what stands between /d/ and the next slash of its address."""
    range: str | None = Field(default=None, min_length=1, max_length=200)
    """The cells, in A1 notation (default: all)."""
    gid: int | None = Field(default=None, ge=0)
    """The tab: the number behind #gid= in its address (default: the first)."""
    header: int = Field(default=1, ge=1, le=1000)
    """The row of the range that holds the column names, counted from 1."""
    secret: str | None = Field(default=None, min_length=1)
    """The secret with a service account's JSON key, for a private sheet."""

    @reads("range", "gid", "secret")
    def _one_way_to_the_tab(self) -> Told:
        named = self.range is not None and "!" in self.range
        if named and self.gid is not None:
            yield "", "range names a tab and so does gid: give one of them"
        elif named and self.secret is None:
            told = (
                "a published sheet's range cannot name a tab: give the tab as gid, the number "
                "behind #gid= in its address, and the range without it"
            )
            yield "", told


class Filter(Section):
    """Which rows of a table: its values are bound, never written into the statement."""

    column: ColumnName
    """The table's column."""
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "in", "is null", "is not null"] = "="
    """How it is compared."""
    value: str | int | float | bool | datetime | list[str | int | float] | None = None
    """What it is compared with: a list for in, nothing for is null and is not null."""

    @reads("operator", "value")
    def _value_suits(self) -> Told:
        if (self.value is None) != self.operator.startswith("is "):
            yield "", f"operator '{self.operator}' and value {self.value!r} do not fit"
        elif isinstance(self.value, list) != (self.operator == "in"):
            yield "", "a list of values goes with operator: in, and only with that"
        elif self.value == []:
            yield "", "operator: in needs one value or more"


class DatabaseSource(BaseSource):
    """A table or one query of a database, read with credentials from Secrets Manager."""

    holds_files = False
    limits = frozenset({"statement_timeout"})
    kind: Literal["database"]
    """A table or query of a database."""
    engine: Literal["postgresql", "mysql", "redshift"]
    """The database's kind."""
    secret: str = Field(min_length=1)
    """The secret with host, port, username, password and dbname, as AWS writes those of RDS."""
    table: str | None = Field(default=None, min_length=1, max_length=200)
    """The table, with its schema where it needs one."""
    query: str | None = Field(default=None, min_length=1)
    """One SELECT, in place of a table."""
    columns: list[ColumnName] = []
    """The columns that are read (default: all)."""
    filters: list[Filter] = []
    """Conditions that all hold in the rows that are read."""
    watermark: ColumnName | None = None
    """A column that only grows: a later run reads only rows that are not below its last value."""
    statement_timeout: Duration = lasting("5m")
    """How long the database may take for one statement. Convention: a third of Lambda's 15
    minutes."""

    @reads("table", "query", "filters")
    def _table_or_query(self) -> Told:
        if (self.table is None) == (self.query is None):
            yield "", "give either table or query, and not both"
        elif self.query is not None and self.filters:
            yield "", "filters go with table: write the query's own where"


Source = Annotated[
    S3Source | HttpSource | GoogleSheetSource | DatabaseSource, Field(discriminator="kind")
]

SOURCES: tuple[type[BaseSource], ...] = get_args(get_args(Source)[0])
SOURCE_KINDS = tuple(get_args(one.model_fields["kind"].annotation)[0] for one in SOURCES)
