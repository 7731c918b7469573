"""Challenger against champion, paired on the same rows."""

import numpy as np

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.core.evaluation.results import ChampionComparison
from noria.core.statistics import metrics
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.confidence_intervals import least_gain


def compare_with_champion(
    y: Array,
    challenger: Array,
    champion: Array | None,
    replicates: Replicates,
    confidence: float,
    problem: str = "",
) -> ChampionComparison:
    """Bootstrap the paired gain of the challenger over the champion on identical rows.

    The lower bound is one-sided, with `confidence` (`certainty.least_gain`).
    """
    metric = replicates.metric
    if champion is None:
        return ChampionComparison(
            champion_value=None, gain=None, lower_bound=None, probability_better=None,
            confidence=confidence, reason=f"the champion cannot be scored any more: {problem}",
        )  # fmt: skip
    value = metrics.score(metric, y, champion)
    gained = metrics.gain(metric, metrics.score(metric, y, challenger), value)
    differences = replicates.gains(challenger, champion)
    better = float(np.mean(differences > 0)) if len(differences) else float(gained > 0)
    return ChampionComparison(
        champion_value=value,
        gain=gained,
        lower_bound=least_gain(replicates, challenger, champion, confidence),
        probability_better=better,
        confidence=confidence,
        reason=f"on the same {counted(len(y), 'row')} the champion has {metric} {value:.4f}",
    )
