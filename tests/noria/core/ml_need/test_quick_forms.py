"""The question whether ML is needed sees what the recipes could make, and noise stays noise."""

import numpy as np
import pandas as pd
import pytest

from noria.common.verdict import Verdict
from noria.core.ml_need.decision import decide_need
from tests.support.data_frames import dataset_of, problem
from tests.support.examples import repeats

ROWS = 500
FEW = {"resamples": 200, "permutations": 500}


def decided(frame: pd.DataFrame, seed: int = 0, threshold: float = 0.6) -> Verdict:
    contract = problem(objective={"metric": "roc_auc", "threshold": threshold}, analysis=FEW)
    return decide_need(dataset_of(frame, contract), contract, seed)


def table(seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    born = pd.Timestamp("1966-01-01", tz="UTC") + pd.to_timedelta(
        generator.integers(0, 8 * 365 * 24, ROWS), unit="h"
    )
    joined = pd.Timestamp("1990-01-01", tz="UTC") + pd.to_timedelta(
        generator.integers(0, 3000 * 24, ROWS), unit="h"
    )
    return pd.DataFrame(
        {
            "born": born,
            "joined": joined,
            "income": generator.gamma(3, 1000, ROWS),
            "rent": generator.gamma(3, 300, ROWS),
            "debt": generator.normal(0, 1, ROWS),
        }
    )


def noisy(signal: pd.Series, seed: int, right: float = 0.85) -> pd.Series:
    kept = np.random.default_rng(seed + 1_000).random(len(signal)) < right
    return pd.Series(np.where(kept, signal, ~signal).astype(int))


SIGNALS = {
    "month": lambda t: t["born"].dt.month <= 4,
    "weekday": lambda t: t["born"].dt.day_of_week >= 5,
    "hour": lambda t: t["joined"].dt.hour < 8,
    "ratio": lambda t: t["rent"] / t["income"] > (t["rent"] / t["income"]).median(),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_signal_in_a_form_of_the_columns_goes_on(name: str) -> None:
    for seed in range(3):
        frame = table(seed)
        frame["y"] = noisy(SIGNALS[name](frame), seed)
        verdict = decided(frame, seed)
        assert verdict.decision == "go_on", (name, seed, verdict.reasons)


def test_noise_has_no_signal_whatever_is_tried() -> None:
    """Looked for twice, with half the chance each: one run in a hundred may be fooled."""
    verdicts, count = [], repeats(40, 12)
    for seed in range(count):
        frame = table(seed)
        frame["y"] = np.random.default_rng(seed + 500).integers(0, 2, ROWS)
        verdicts.append(decided(frame, seed, threshold=0.8))
    assert [one.decision for one in verdicts].count("reevaluate") >= count - max(count // 20, 1)
    told = " ".join(verdicts[0].reasons)
    assert "weekday and day of the year of 'born' and 'joined'" in told
    assert "the time between 'born' and 'joined'" in told
    assert "ratios, differences and products of " in told
    assert verdicts[0].evidence["forms_tried"]


def test_words_of_texts_are_seen() -> None:
    generator = np.random.default_rng(0)
    said = np.where(generator.random(ROWS) < 0.5, "refund please", "thank you")
    tail = generator.integers(0, 10**6, ROWS).astype(str)
    frame = pd.DataFrame({"note": pd.Series(said) + " order number " + pd.Series(tail)})
    frame["y"] = noisy(pd.Series(said == "refund please"), 0)
    assert decided(frame).decision == "go_on"


def test_forms_near_the_largest_double_are_tried() -> None:
    """Neighbours of 1e308, whose sum is no double."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "load": generator.uniform(8, 9, ROWS) * 1e149,
            "per": generator.uniform(7, 9, ROWS) * 1e-159,
        }
    )
    frame["y"] = generator.integers(0, 2, ROWS)
    assert decided(frame[:200], threshold=0.8).evidence["forms_tried"]
