"""The text of an expression: how it names columns, and what was meant by one that cannot be read.

A plain word is a column; one of any other name stands in double quotes, a quote inside it twice.
"""

import ast
import keyword
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

COLUMN, TEXT = r'"(?:[^"]|"")*"', r"'(?:[^'\\]|\\.)*'"
#: As far as Python's names reach, and further.
NAME = r"(?:[A-Za-z_]|[^\x00-\x7f\s])(?:\w|[^\x00-\x7f\s])*"
_TOKEN = re.compile(
    rf"(?P<column>{COLUMN})|{TEXT}|(?P<name>{NAME})(?=(?P<call>\s*\()?)|\d[\w.]*|(?P<sign>.)",
    re.DOTALL,
)
#: One class of letters: two that overlap would take a long name apart in every way there is.
_WORD = r"(?<!\w)(?:(?!\s)[\w\x80-\U0010ffff])+"
_COMPARED = re.compile(rf"(?P<before>(?P<column>{COLUMN}|{_WORD})\s*[=!]=\s*)(?P<text>{COLUMN})")
_STAND_IN = re.compile(r" ?\b_(\d+)_\b ?")
_LITERALS = {"true": "True", "false": "False"}
_JOINS = r"\b(?:and|or|not|in)\b"
#: What stands between operands: first every sign, then only what compares and joins.
_BETWEEN = (
    re.compile(rf"({COLUMN}|{TEXT}|[<>=!]=?|[()\[\],]|\s[-+*/%]\s|{_JOINS})"),
    re.compile(rf"({COLUMN}|{TEXT}|[<>=!]=?|{_JOINS})"),
)
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", re.ASCII)
_OPEN = re.compile(r"(?<!\w)'|'(?!\w)")  # unlike an apostrophe
#: What a column's name alone hardly holds, and an expression with a mistake does.
_NO_HEADER = re.compile(
    rf"[<>=!\"\\{{}}]|\*\*|{_OPEN.pattern}|\w[.(\[]|^[-+*/%,]|[-+*/%,(]$|^{_JOINS}$"
    r"|^(?:import|lambda|def|del|return|raise)\s"
)


@dataclass(frozen=True)
class Prepared:
    """A text that Python's parser takes: every column in it has a stand-in."""

    text: str
    columns: tuple[str, ...]

    def restore(self, tree: ast.expr) -> None:
        """Give the names in a tree back to their columns."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and (found := _STAND_IN.fullmatch(node.id)):
                node.id = self.columns[int(found[1])]

    def part(self, node: ast.AST) -> str:
        """A node as the expression writes it."""
        segment = ast.get_source_segment(self.text, node) or type(node).__name__
        return _STAND_IN.sub(lambda found: written(self.columns[int(found[1])]), segment)


def prepare(text: str, functions: frozenset[str]) -> Prepared:
    """Put a stand-in for every column: Python has words of its own, and spells others anew.

    In the brackets of a list, where no column can stand, what is in double quotes is a text.
    Raises SyntaxError for a comment, which may as well be a part of a name.
    """
    columns: list[str] = []
    parts, depth = [], 0
    for token in _TOKEN.finditer(text.strip()):
        depth += {"[": 1, "]": -1}.get(token[0], 0)
        if token["sign"] == "#":
            raise SyntaxError("an expression holds no comment")
        column = _column_of(token, functions)
        if column is None:
            parts.append(token[0] if token["call"] else _LITERALS.get(token[0], token[0]))
        elif token["column"] and depth:
            parts.append(repr(column))
        else:
            parts.append(f" _{len(columns)}_ ")
            columns.append(column)
    return Prepared("".join(parts).strip(), tuple(columns))


def _column_of(token: re.Match[str], functions: frozenset[str]) -> str | None:
    if token["column"]:
        return _unquoted(token["column"])
    name = token["name"]
    if not name or not name.isidentifier() or keyword.iskeyword(name) or name in _LITERALS:
        return None
    return None if token["call"] and name in functions else name


def column_of(text: str) -> str | None:
    """The column where a text is nothing but the name of one, plain or in double quotes."""
    name = text.strip()
    if re.fullmatch(COLUMN, name):
        return _unquoted(name)
    return name if name.isidentifier() else None


def quoted(name: str) -> str:
    """A column's name in double quotes, as an expression of its own."""
    return '"' + name.replace('"', '""') + '"'


def written(name: str) -> str:
    """A column as an expression names it: in double quotes where it is no plain word."""
    return name if _is_plain(name) else quoted(name)


def with_texts(text: str, columns: Collection[str]) -> str:
    """An expression in which no text stands in double quotes.

    What a column is compared with by == or != is a text where no column is called so.
    """

    def single(found: re.Match[str]) -> str:
        column, name = found["column"], _unquoted(found["text"])
        named = _unquoted(column) if column.startswith('"') else column
        if named not in columns or name in columns:
            return found[0]
        escaped = name.replace("\\", r"\\").replace("'", r"\'")
        return f"{found['before']}'{escaped}'"

    return _COMPARED.sub(single, text)


def could_be_header(text: str) -> bool:
    """Whether a text that is no expression can be the name of a column, as it stands."""
    name = text.strip()
    return bool(name) and name.isprintable() and not _NO_HEADER.search(name)


def with_quotes(text: str, is_readable: Callable[[str], bool]) -> str | None:
    """The readable expression that was probably meant: with its columns in double quotes."""
    if text.count("(") != text.count(")") or _OPEN.search(re.sub(TEXT, "", text)):
        return None
    guesses = (_quoting(text.strip(), between) for between in _BETWEEN)
    return next((one for one in guesses if one != text.strip() and is_readable(one)), None)


def _quoting(text: str, between: re.Pattern[str]) -> str:
    return "".join(_guessed(between.split(text)))


def _guessed(parts: list[str]) -> Iterator[str]:
    """Operands and, at odd places, what stands between them."""
    for place, part in enumerate(parts):
        name = part.strip()
        if place % 2 or not name:
            yield "==" if part == "=" else part
            continue
        left, right = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
        yield left + (name if _NUMBER.fullmatch(name) else written(name)) + right


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _LITERALS


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"')
