"""Where the picture's places lie, and along which points its arrows run, in units."""

from itertools import pairwise

from infra.docs.machine import Arrow
from infra.docs.machine_layout import NEAR, PLACES, WAYS, Point, Way

COLUMN, ROW = 192, 61  # units from one place to the next
LEFT, TOP = 84, 78  # of the first place's middle
HALF_WIDTH, HALF_HEIGHT = 67, 17  # of a state's box
OFFSETS = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


def middle(place: Point) -> Point:
    return LEFT + place[0] * COLUMN, TOP + place[1] * ROW


def port(place: Point, side: str) -> Point:
    x, y = middle(place)
    across, down = OFFSETS[side]
    return x + across * HALF_WIDTH, y + down * (HALF_HEIGHT + (1 if down else 0))


def route(arrow: Arrow) -> list[Point]:
    """The corners of an arrow, in units, its ends included."""
    start, end = PLACES[arrow.source], _target(arrow)
    way = WAYS.get((arrow.source, arrow.target)) or _straight(start, end)
    column, row = start
    points = [port(start, way.leaves)]
    for corner in way.corners:
        column = column if corner[0] is None else corner[0]
        row = row if corner[1] is None else corner[1]
        points.append(middle((column, row)))
    return [*points, port(end, way.arrives)]


def _target(arrow: Arrow) -> Point:
    return NEAR.get((arrow.source, arrow.target), PLACES[arrow.target])


def _straight(start: Point, end: Point) -> Way:
    """Neighbours: along a row, or along a column."""
    if start[1] == end[1]:
        return Way("right", "left") if start[0] < end[0] else Way("left", "right")
    return Way("bottom", "top") if start[1] < end[1] else Way("top", "bottom")


def beside(points: list[Point]) -> tuple[float, float, str]:
    """A spot for the words: over a level piece of the arrow that is long enough, else beside it."""
    (x, y), (next_x, next_y) = points[0], points[1]
    if len(points) > 2:  # the last level piece tells where it goes
        level = [
            (one, other) for one, other in pairwise(points)
            if one[1] == other[1]
        ]  # fmt: skip
        if level:
            (x, y), (next_x, next_y) = level[0]
            forward = next_x > x
            return (x + (8 if forward else -8), y - 6, "start" if forward else "end")
    if y == next_y:
        return ((x + next_x) / 2, y - 6, "middle")
    return (x + 7, y + 14, "start") if next_y > y else (x - 7, y - 7, "end")
