"""What may become a feature, and how often engineering may be tried again."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.field_types import ColumnName, Duration, Section, Share, format_duration

SHORTEST_REFRESH = timedelta(hours=1)
Direction = Literal["increasing", "decreasing"]
#: Names that the feature store has for itself, which a feature that is looked up cannot have.
STORE_COLUMNS = ("event_time", "created_time", "run", "prediction_time", "file_row_number")
STORE_PREFIX = "noria_"


def _whole_seconds(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1) or value % timedelta(seconds=1):
        raise ValueError("over is a whole number of seconds, 1s or more")
    return value


def _schedulable(value: timedelta) -> timedelta:
    if value < SHORTEST_REFRESH or value % timedelta(minutes=1):
        raise ValueError("refresh is a whole number of minutes, 1h or more")
    return value


class Window(Section):
    """A time-window aggregation of the entity's earlier rows, over a period before each row."""

    column: ColumnName
    """Any column of the sources, also one that is known only afterwards, or the target (a binary
    one counts 1 for its positive class)."""
    function: Literal["count", "sum", "mean", "minimum", "maximum", "time_since"]
    """What is taken of the values that were known at the row's time; time_since is the hours since
    the last one. The count and sum of no row are 0, the others are missing then."""
    over: Annotated[Duration, AfterValidator(_whole_seconds)]
    """How far back rows count, in whole seconds."""
    as_: ColumnName = Field(alias="as")
    """The feature's name."""

    model_config = ConfigDict(populate_by_name=True)


#: The ladder of recipes in its order; each is a module of `noria.core.features.recipes`.
RECIPES = {
    "basic": "numbers as they are, categories encoded",
    "calendar": "dates, cycles and spans of timestamps",
    "windows": "the history of the entity",
    "target_encoding": "the target's mean per category",
    "interactions": "ratios, products, squares",
    "text": "hashed words and word pairs",
    "selection": "only features that help",
}
if TYPE_CHECKING:
    RecipeName = str
else:
    RecipeName = Literal[tuple(RECIPES)]


def _all_recipes() -> str:
    first, *others = RECIPES
    listed = ", ".join(f"`{name}` ({RECIPES[name]})" for name in others)
    return (
        f"The recipes that are tried beside `{first}` ({RECIPES[first]}): {listed}. "
        "Those that change nothing for the data's columns are left out. Where evaluation misses "
        "the objective, one is added: with auto what it found weak decides which; a list is taken "
        "in its order."
    )


class Features(Section):
    """What may become a feature, and how often engineering may be tried again."""

    exclude: list[ColumnName] = []
    """Columns that are no features, such as those known only afterwards."""
    known: list[ColumnName] = []
    """Columns that are known when a prediction is made, however much they tell of the target: none
    of them stops a run as a leak (`analysis.on_leak`)."""
    monotone: dict[ColumnName, Direction] = {}
    """Numbers with which an answer may only rise, or only fall, whatever the other columns hold, as
    a rule or common sense demands: of two classes the positive one's probability. Only trees are
    tried then, of which each split keeps to it (scikit-learn's `monotonic_cst`), and features that
    mix such a column with others are left out."""
    windows: list[Window] = []
    """History of the entity, looked up for each row and in every answer alike."""
    delay: Duration | None = None
    """How long after its event time a row is in the feature store: history leaves out what is
    younger, in training and in every answer alike (default: `monitoring.label_delay + refresh`)."""
    refresh: Annotated[Duration, AfterValidator(_schedulable)] | None = None
    """How often rows are fetched for the feature store between runs, where there are windows: whole
    minutes, 1h at least (default: `monitoring.label_delay`, or half of `delay`)."""
    retention: Duration | None = None
    """How long the feature store keeps rows, by their event time (default: for ever)."""
    recipes: Literal["auto"] | list[RecipeName] = Field(default="auto", description=_all_recipes())
    maximum_iterations: int = Field(default=3, ge=1, le=10)
    """How often evaluation may send back to feature engineering. Convention: the holdout steers
    this loop, and its intervals stay nearly honest for few turns (Dwork et al. 2015, "The reusable
    holdout")."""
    weakness_rows: int = Field(default=10_000, ge=100)
    """Rows that weaknesses are looked for in, at most, evenly spaced. Convention: among a thousand
    groupings one by two that tells `weakness_share` is found there in two cases of three (power of
    the F test, Fisher 1925)."""
    weakness_share: Share = 0.002
    """Share of the errors' variance (adjusted R²) from which a weakness chooses a recipe, however
    many rows make less significant. Convention: a tenth of a small effect, 0.02 (Cohen 1988,
    "Statistical Power Analysis for the Behavioral Sciences")."""
    little_use: Share = 0.02
    """Share of the most important column's permutation importance (Breiman 2001, "Random forests")
    up to which a column is as good as unused. Convention: a fiftieth, as 1,000 shuffled rows tell
    no finer."""
    selection_columns: int = Field(default=4, ge=2)
    """Columns from which the recipe `selection` is tried. Convention: of three a model finds out
    itself which help."""
    smoothing_rows: float = Field(default=20, ge=1)
    """Rows of the overall mean that a category's mean of the target is mixed with (Micci-Barreca
    2001, "A preprocessing scheme for high-cardinality categorical attributes"). Convention: 20, the
    fewest that histogram gradient boosting makes a leaf of (scikit-learn's documentation)."""
    one_hot_values: int = Field(default=20, ge=1, le=250)
    """Values of a category that linear models get a feature each for, the most frequent ones; the
    others share one. Convention: more would be columns of nearly nothing but zeros."""
    word_features: int = Field(default=100, ge=1, le=1000)
    """Words and word pairs of a text that become features, at most, those that tell most.
    Convention: time and the model's size grow with them, and those that come last tell least."""
    word_rows: int = Field(default=5, ge=1)
    """Texts that hold a word, and texts that do not, from which it may become a feature: the count
    that chi-squared needs (Cochran 1954, "Some methods for strengthening the common chi-squared
    tests")."""
    word_share: Share = 0.001
    """Share of the texts that hold a word, and that do not, from which it may become a feature.
    Convention: one in a thousand; a rarer word tells of these texts and not of the next."""
    word_strength: float = Field(default=3.84, ge=0)
    """Squared z score of the target's mean in the texts with a word (of classes the sum of theirs)
    from which the word becomes a feature: of words without meaning 5 % reach 3.84 where the target
    is a number, 17 % with two classes (chi-squared, Fisher 1925), more with many. Convention:
    generous, as trees bear with words that tell nothing."""

    @reads("exclude", "known")
    def _known_or_not(self) -> FieldErrors:
        for position, name in enumerate(self.known):
            if name in self.exclude:
                told = (
                    f"'{name}' is in exclude as well, which leaves it out: list it in one of them"
                )
                yield f"known[{position}]", told

    @reads("exclude", "monotone")
    def _monotone_features(self) -> FieldErrors:
        for name in self.monotone:
            if name in self.exclude:
                told = (
                    f"'{name}' is in exclude as well, which leaves it out: list it in one of them"
                )
                yield f"monotone.{name}", told

    @reads("windows.as")
    def _one_name_each(self) -> FieldErrors:
        names = [window.as_ for window in self.windows]
        for double in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield "", f"windows give '{double}' to two features: name each its own as"

    @reads("windows.as")
    def _no_name_of_the_store(self) -> FieldErrors:
        for position, window in enumerate(self.windows):
            if window.as_ in STORE_COLUMNS or window.as_.startswith(STORE_PREFIX):
                yield (
                    f"windows[{position}].as",
                    f"'{window.as_}' is a column that the feature store has for itself; choose "
                    "another name",
                )

    @reads("windows.as", "windows.over", "retention")
    def _keeps_what_it_reads(self) -> FieldErrors:
        longest = max(self.windows, key=lambda one: one.over, default=None)
        if self.retention is not None and longest is not None and self.retention < longest.over:
            told = (
                f"retention {format_duration(self.retention)} is shorter than window "
                f"'{longest.as_}' over {format_duration(longest.over)}: keep rows at least so long"
            )
            yield "", told
