"""What a page is made of, as plain values: blocks.html.j2 writes them, and escapes all text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeGuard

from markupsafe import Markup

from noria.common.formatting import NOTHING, number, shortened

Document = Mapping[str, Any]
LONG = 12
TITLE = 100  # letters of a heading


@dataclass(frozen=True)
class Text:
    """One value, written for people."""

    kind: ClassVar[str] = "text"
    value: Any


@dataclass(frozen=True)
class Remark:
    """A sentence in a quiet colour."""

    kind: ClassVar[str] = "remark"
    text: str


@dataclass(frozen=True)
class Bullets:
    """Sentences, those beyond `most` folded away."""

    kind: ClassVar[str] = "bullets"
    sentences: Sequence[Any]
    most: int = LONG


@dataclass(frozen=True)
class TableBlock:
    """A table: columns of numbers are set right, the best row is bold."""

    kind: ClassVar[str] = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    best: int | None = None

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers alone."""
        columns = [[row[place] for row in self.rows] for place in range(len(self.head))]
        return [
            bool(values) and all(is_number(value) or value is None for value in values)
            for values in columns
        ]


@dataclass(frozen=True)
class Pairs:
    """Names with what stands for each, as two columns."""

    kind: ClassVar[str] = "pairs"
    rows: "Sequence[tuple[str, Sequence[Block]]]"


@dataclass(frozen=True)
class Folded:
    """Blocks below a summary that opens them."""

    kind: ClassVar[str] = "folded"
    summary: str
    blocks: "Sequence[Block]"


@dataclass(frozen=True)
class Verbatim:
    """A text as it is, such as a document."""

    kind: ClassVar[str] = "verbatim"
    text: str


@dataclass(frozen=True)
class Card:
    """Blocks in a frame, under a heading where there is one."""

    kind: ClassVar[str] = "card"
    title: str
    blocks: "Sequence[Block]"


@dataclass(frozen=True)
class Grid:
    """Cards side by side, as many as there is room for."""

    kind: ClassVar[str] = "grid"
    cards: Sequence[Card]


@dataclass(frozen=True)
class Chapter:
    """A part of the page under a heading of its own."""

    title: str
    blocks: "Sequence[Block]"


# Markup is a picture, drawn and escaped by `svg`.
Block: TypeAlias = (
    Markup | Text | Remark | Bullets | TableBlock | Pairs | Folded | Verbatim | Card | Grid
)


def card(title: str, *blocks: Block | None) -> Card | None:
    """Frame blocks under a heading; None where there is nothing to show."""
    shown = [block for block in blocks if block]
    return Card(shortened(title, TITLE), shown) if shown else None


def grid(*cards: Card | None) -> Grid | None:
    """Put cards side by side; None where there are none."""
    shown = [one for one in cards if one]
    return Grid(shown) if shown else None


def chapter(title: str, *blocks: Block | None) -> Chapter | None:
    """A chapter of those blocks that there are; None where there are none."""
    shown = [block for block in blocks if block]
    return Chapter(title, shown) if shown else None


def remark(sentence: str) -> Remark | None:
    """A remark; None for an empty sentence."""
    return Remark(sentence) if sentence else None


def bullets(sentences: Sequence[Any], most: int = LONG) -> Bullets | None:
    """A list of sentences; None where there are none."""
    return Bullets(sentences, most) if sentences else None


def facts(value: Any) -> list[Block]:
    """Show any JSON value: mappings as two columns, lists of mappings as tables."""
    if isinstance(value, Mapping):
        rows = [(str(name).replace("_", " "), facts(item)) for name, item in value.items()]
        return [Pairs(rows) if rows else Text(None)]
    if isinstance(value, list | tuple):
        return _facts_of_list(list(value))
    return [Text(value)]


def _facts_of_list(items: list[Any]) -> list[Block]:
    if not items:
        return [Text(None)]
    if not all(isinstance(item, Mapping) for item in items):
        return [Text(", ".join(plain(item) for item in items))]
    names = [
        name
        for name in dict.fromkeys(name for item in items for name in item)
        if any(item.get(name) not in (None, "") for item in items)
    ]
    head = [name.replace("_", " ") for name in names]
    rows = [[flat(item.get(name)) for name in names] for item in items]
    if len(rows) <= LONG:
        return [TableBlock(head, rows)]
    more = Folded(f"{len(rows) - LONG} more", [TableBlock(head, rows[LONG:])])
    return [TableBlock(head, rows[:LONG]), more]


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(value: Any) -> str:
    """Write one value for people."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return number(value, 4) if isinstance(value, float) else str(value)


def flat(value: Any) -> Any:
    """Write what is nested inside a table's cell on one line."""
    if isinstance(value, list | tuple):
        return " to ".join(number(v) if is_number(v) else str(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {flat(item)}" for name, item in value.items())
    return value
