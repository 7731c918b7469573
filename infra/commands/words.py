"""How the commands write what they tell."""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 row, 2,000 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verb(number: int, one: str = "is", several: str = "are") -> str:
    """The verb that agrees with a number."""
    return one if number == 1 else several
