"""The lines of logged predictions, as their delivery left them."""

_JOINED, _APART = b'}{"prediction_id":', b'}\n{"prediction_id":'


def log_lines(content: bytes) -> list[bytes]:
    """Return the lines of an object, none of them empty.

    A delivery that takes messages out of log events may put nothing between two. Records are
    parted where one ends and the next begins: within a text quotes are escaped.
    """
    return [line for line in content.replace(_JOINED, _APART).splitlines() if line.strip()]
