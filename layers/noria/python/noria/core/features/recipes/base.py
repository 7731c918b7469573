"""What a recipe is: when it changes something, the columns it takes, and the steps it makes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoder_limits import EncoderLimits
from noria.core.features.encoders import FeatureStep

Kinds = Mapping[str, str]  # the kind of each column; HISTORY for those of the feature store
Groups = tuple[tuple[str, ...], ...]  # ("a",) is a column alone, ("a", "b") a pair
Parts = Mapping[str, Groups]  # by name, what a plan computes
HISTORY = "history"


@dataclass(frozen=True)
class Iteration:
    """What a recipe chooses its columns by; `before` has the parts of the iteration before.

    `alone` are columns that no feature may mix with others.
    """

    dataset: Dataset
    findings: Findings
    before: Parts
    alone: Collection[str] = ()


@dataclass(frozen=True)
class Needs:
    """What the estimator behind the features needs; `classes` is 0 for regression."""

    linear: bool
    classes: int
    limits: EncoderLimits


def _nothing_more(iteration: Iteration) -> Parts:
    return {}


def _no_steps(parts: Parts, needs: Needs) -> Sequence[FeatureStep]:
    return []


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A rung of the ladder.

    `parts` says which columns it works on, `steps` turns parts of the finished plan into features
    (all recipes are asked, in the ladder's order). `uses` is the kind of columns that it gives a
    use to, `display_formats` how a group of a part reads in reports where it is no single column.
    """

    description: str
    applies: Callable[[Kinds, Problem], bool]
    parts: Callable[[Iteration], Parts] = _nothing_more
    steps: Callable[[Parts, Needs], Sequence[FeatureStep]] = _no_steps
    uses: str = ""
    display_formats: Mapping[str, str] = field(default_factory=dict)
    selects: bool = False


def alone(names: Sequence[str]) -> Groups:
    """Columns of which each is a group by itself."""
    return tuple((name,) for name in names)


def pairs(names: Sequence[str]) -> Groups:
    """Every two of the columns, in their order."""
    return tuple((one, other) for i, one in enumerate(names) for other in names[i + 1 :])


def distinct(groups: Sequence[tuple[str, ...]]) -> Groups:
    """Each group once, where it comes first."""
    return tuple(dict.fromkeys(groups))
