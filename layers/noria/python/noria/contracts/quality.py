"""What clean data are: a rule per column, and when the data are good enough to go on with."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from noria.common.categories import tidy, without_case
from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.field_types import (
    ColumnName,
    ExpressionText,
    Section,
    Share,
    Texts,
    ZoneName,
    named_texts,
)

#: The types that a field of a rule is for; one that is none of them has no meaning there.
FIELD_TYPES = {
    "format": ("timestamp",), "timezone": ("timestamp",), "unit": ("int", "float"),
    "source_unit": ("int", "float"), "decimal": ("int", "float"), "minimum": ("int", "float"),
    "maximum": ("int", "float"), "pattern": ("category", "text"),
    "aliases": ("category", "text", "bool"),
}  # fmt: skip


class Fill(Section):
    """A constant in place of missing values, in training and in every request alike."""

    value: str | int | float | bool
    """The constant, as the column's type is written."""


class ColumnRule(Section):
    """How a column is written and what it must hold; rows that break it are quarantined by name."""

    type: Literal["int", "float", "category", "text", "timestamp", "bool"] | None = None
    """What the values are read as (default: what they agree on)."""
    format: Texts = []
    """How times are written: strptime formats or epoch_s, epoch_ms, epoch_us, epoch_ns (default:
    ISO 8601, or what all values agree on)."""
    timezone: ZoneName | None = None
    """The IANA zone of times without one (default: UTC)."""
    unit: str | None = Field(default=None, min_length=1, max_length=30)
    """The unit of the clean column; values written with another unit are converted."""
    source_unit: str | None = Field(default=None, min_length=1, max_length=30)
    """The unit of numbers that are written without one (default: `unit`)."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark of numbers (default: what all values agree on); the other mark, spaces and
    apostrophes then separate thousands."""
    minimum: float | None = None
    """The least number that is possible."""
    maximum: float | None = None
    """The largest number that is possible."""
    allowed: list[str | int | float | bool] | None = None
    """All values that are possible."""
    pattern: str | None = Field(default=None, min_length=1, max_length=500)
    """An RE2 regular expression that the whole text must match."""
    aliases: Annotated[dict[str, Texts], BeforeValidator(named_texts)] = {}
    """A spelling, and others that mean it and become it."""
    case: Literal["merge", "keep"] = "merge"
    """Whether spellings that differ in case alone become the most frequent one."""
    required: bool = False
    """The short form of `missing: quarantine`."""
    missing_values: list[str | int | float] | None = None
    """Further marks for a missing value, such as -999, beside the usual ones (NA, None, #DIV/0!
    and the like); an empty list switches those off."""
    missing: Literal["keep", "quarantine", "median", "mean", "most_frequent"] | Fill = "keep"
    """What happens to missing values: keep hands them to the model, whose graph handles them, a
    statistic is that of the training rows, `{value: ...}` is a constant."""

    @property
    def refuses_missing(self) -> bool:
        """Whether a row without a value is quarantined."""
        return self.required or self.missing == "quarantine"

    @property
    def fills(self) -> bool:
        """Whether missing values become a constant or a statistic."""
        return self.missing not in ("keep", "quarantine")

    def has(self, field: str) -> bool:
        """Whether the rule says something in a field."""
        return getattr(self, field) not in (None, [], {})

    @reads("minimum", "maximum")
    def _ordered(self) -> FieldErrors:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield "", f"minimum {self.minimum} is above maximum {self.maximum}; swap them"

    @reads("type", *FIELD_TYPES)
    def _suits_its_type(self) -> FieldErrors:
        given = {name: types for name, types in FIELD_TYPES.items() if self.has(name)}
        for field, types in given.items():
            if self.type is not None and self.type not in types:
                wanted = " or ".join(types)
                yield "", f"{field} is for type {wanted}, not '{self.type}'; leave one out"
            elif self.type is None:
                yield from self._contradicted(field, given)

    def _contradicted(self, field: str, given: dict[str, tuple[str, ...]]) -> FieldErrors:
        """Say which field, of those that come first, is for no type that another is for."""
        types, later = given[field], list(given)[list(given).index(field) + 1 :]
        other = next((name for name in later if not {*given[name]} & {*types}), None)
        if other is not None:
            told = (
                f"{field} is for type {' or '.join(types)}, {other} for type "
                f"{' or '.join(given[other])}; leave one out"
            )
            yield "", told

    @reads("source_unit", "unit")
    def _converts_to_a_unit(self) -> FieldErrors:
        if self.source_unit is not None and self.unit is None:
            yield "", "source_unit needs unit: name the unit of the clean column there"

    @reads("missing", "type", "required")
    def _fills_what_it_can(self) -> FieldErrors:
        if self.missing in ("median", "mean") and self.type not in (None, "int", "float"):
            yield "", f"missing: {self.missing} is for numbers, not type '{self.type}'"
        if self.required and self.fills:
            yield "", "required and missing contradict each other: give one of them"

    @reads("aliases", "case")
    def _one_meaning_each(self) -> FieldErrors:
        """Refuse a spelling with two meanings; case counts only where it is kept."""
        key = without_case if self.case == "merge" else str
        kept = {key(tidy(name)): name for name in self.aliases}
        meant: dict[str, str] = {}
        for name, others in self.aliases.items():
            for other in others:
                spelling = key(tidy(other))
                if meant.setdefault(spelling, name) != name:
                    yield "", f"aliases give '{other}' two meanings: list it once"
                elif kept.get(spelling, name) != name:
                    told = (
                        f"aliases make '{other}' mean '{name}', and keep '{kept[spelling]}' as a "
                        "spelling too: list it on one side only"
                    )
                    yield "", told


class Quality(Section):
    """When data is good enough to go on with, and what a column is where no rule says it."""

    minimum_rows: int = Field(default=100, ge=10)
    """Accepted rows, at least. Convention: of fewer a share is known to 0.1 at best."""
    maximum_missing: Share = 0.4
    """Columns with a larger share missing are dropped and named. Convention: two of five; below it
    a model's graph imputes or splits on what is missing."""
    on_violation: Literal["quarantine", "fail"] = "quarantine"
    """Whether rows that break a rule are set aside or end the run."""
    maximum_quarantined: Share = 0.05
    """Share of the rows that may break a rule. Convention: one of twenty; more points to a source
    or a rule that is wrong."""
    unlabelled_share: Share = 0.2
    """Share of the rows without a known target from which the verdict says so. Convention: one of
    five; labels of the latest rows are often not known yet."""
    unique: list[ColumnName] = []
    """Columns that name a row: identical repeats are left out, others contradict each other
    (default: `entity_key` with `event_time`, where both are given)."""
    checks: list[ExpressionText] = []
    """Conditions that hold in every row whose columns are known."""
    outliers: float | None = Field(default=3.5, gt=0)
    """Modified z score beyond which a number is flagged: 3.5 after Iglewicz and Hoaglin (1993, "How
    to Detect and Handle Outliers"); null flags none."""
    schema_drift: Literal["report", "fail"] = "report"
    """Whether a source's changed schema, since the last run or between its files, is reported or
    ends the run."""
    outlier_values: int = Field(default=10, ge=1)
    """Different numbers from which a column's outliers are flagged. Convention: fewer are levels
    rather than measurements."""
    numeric_share: float = Field(default=0.98, gt=0.5, le=1)
    """Share of the texts that are numbers (or times) from which a column is one of those.
    Convention: one stray text in fifty does not make another type."""
    declared_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the values that must agree on how they are written, where the contract says that a
    column holds numbers or times. Convention: most of them."""
    identifier_share: Share = 0.9
    """A category with more different values than this share of its rows names single rows and is no
    feature. Convention: of ten rows one at most shares its value."""
    identifier_rows: int = Field(default=50, ge=1)
    """Rows from which that is told. Convention: among fewer a category with many values looks like
    a name by chance."""
    prose_words: float = Field(default=3, gt=0)
    """Words that texts have on average, from which they are free text and no names. Convention: a
    full name has two."""
    merged_spellings: int = Field(default=1000, ge=0)
    """Spellings up to which those that differ in case are merged. Convention: more are names, and
    the map of them travels with the model."""
    maximum_text: int = Field(default=32_767, ge=100)
    """Characters that a text may have; rows with a longer one are quarantined. Convention: what a
    cell of a spreadsheet holds. All texts of a column take the room of its longest one, so that
    one of a megabyte would need gigabytes."""
    columns: dict[ColumnName, ColumnRule] = {}
    """A rule for each column that needs one."""
