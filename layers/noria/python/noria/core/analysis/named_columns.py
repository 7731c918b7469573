"""Whether a sentence names a column."""

import re

WORD = re.compile(r"[^\W_]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_named(column: str, sentence: str) -> bool:
    """Tell whether the words of a column's name stand in a sentence, one behind the other."""
    words, said = _words(column), _words(sentence)
    size = len(words)
    return size > 0 and any(said[at : at + size] == words for at in range(len(said) - size + 1))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(CAMEL.sub(" ", text))]
