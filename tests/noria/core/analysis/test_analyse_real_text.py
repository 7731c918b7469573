"""Free text that people wrote, in the analysis and in drift: what scientific packages document."""

import inspect
from collections.abc import Iterable
from html import unescape

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from noria.core.analysis.analyse import AnalysisResult, analyse
from noria.core.analysis.distributions import by_target
from noria.core.analysis.redundancy import redundant_pairs
from noria.core.data.dataset import Column, Dataset
from noria.core.data.text_normalization import plain_words
from noria.core.reporting.report import render_report
from noria.core.statistics.association import text_to_target
from noria.core.statistics.drift import build_reference, measure_drift
from tests.support.examples import most_by_chance, repeats
from tests.support.model_data import problem

Texts = np.ndarray
ROWS = 1000


def paragraphs(things: Iterable[object], seed: int) -> Texts:
    """The paragraphs of eight words or more that document these things, in random order."""
    documents = (inspect.getdoc(one) or "" for one in things)
    plain = {plain_words(part) for text in documents for part in text.split("\n\n")}
    found = sorted(text for text in plain if len(text.split()) >= 8)
    return np.random.default_rng(seed).permutation(found)


@pytest.fixture(scope="module")
def on_tables() -> Texts:
    owners = [base for one in (pd.DataFrame, pd.Series, pd.Index) for base in one.__mro__]
    return paragraphs((member for one in owners for member in vars(one).values()), 0)


@pytest.fixture(scope="module")
def on_tests() -> Texts:
    return paragraphs(vars(stats).values(), 1)


def table(target: object, **texts: Texts) -> Dataset:
    columns = tuple(Column(name, "text") for name in texts)
    classes = tuple(str(code) for code in range(int(np.max(target)) + 1))
    return Dataset(columns, dict(texts), np.asarray(target), classes, np.zeros(len(target), bool))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def of_both(on_tables: Texts, on_tests: Texts) -> AnalysisResult:
    texts = np.concatenate([on_tables[:ROWS], on_tests[:ROWS]])
    return analyse(table(np.repeat([0, 1], ROWS), text=texts), problem())


def test_what_a_package_is_about_goes_with_its_words(of_both: AnalysisResult) -> None:
    (column,) = of_both.columns
    assert column.related.measure in ("Cramér's V of 'index'", "Cramér's V of 'distribution'")
    assert column.related.strength > 0.3
    assert column.related.p_value < 1e-30
    assert (of_both.leakage, column.profile.missing) == ([], 0)
    assert column.profile.distinct > 1.9 * ROWS
    assert column.profile.quantiles[0] >= 8
    assert column.profile.top[0].value == "the"
    assert {"index", "distribution"} <= set(of_both.distributions[0].labels)
    assert "the" not in of_both.distributions[0].labels[:3]


def test_the_report_says_that_the_bars_are_of_words(of_both: AnalysisResult) -> None:
    told = {"problem": problem().to_document(), "run": {"id": "r"}, "verdicts": []}
    page = render_report(told | {"analysis": of_both.model_dump(mode="json")})
    assert "Share of texts with a word" in page
    assert "often the " in page
    assert "p values are corrected for 1 column (Holm), a text's also for the words" in unescape(
        page
    )


@pytest.mark.parametrize("rows", [200, ROWS])
@pytest.mark.parametrize("seed", range(3))
def test_texts_on_something_else_have_drifted(
    on_tables: Texts, on_tests: Texts, rows: int, seed: int
) -> None:
    mixed = np.random.default_rng(seed).permutation(on_tables)
    half = len(mixed) // 2
    learnt = table(np.arange(half) % 2, text=mixed[:half])
    reference = build_reference(learnt, np.zeros(half))

    def moved(texts: Texts) -> float:
        return measure_drift(reference, {"text": texts}, np.zeros(len(texts))).columns[0].psi

    assert moved(mixed[half : half + rows]) < 0.1
    assert moved(on_tests[:rows]) > 0.5


def frequent(seed: int, rows: int) -> Texts:
    """Texts of words as frequent as in natural language (Zipf 1949), without meaning."""
    generator, shares = np.random.default_rng(seed), 1 / np.arange(1, 2001)
    drawn = generator.choice(2000, (rows, 12), p=shares / shares.sum())
    return np.array([" ".join(map("w{}".format, words)) for words in drawn])


@pytest.mark.parametrize("task", ["balanced", "one in a hundred", "twenty classes", "skewed"])
def test_of_many_words_none_tells_by_chance(task: str) -> None:
    """A word is in few texts and a rare class in few rows: chi-squared found 33 to 77 % here."""
    found = []
    for seed in range(repeats(40, 12)):
        generator = np.random.default_rng(1000 + seed)
        shares = 1 / np.arange(1, 21) ** 1.5
        target = {
            "balanced": generator.integers(0, 2, ROWS),
            "one in a hundred": (generator.random(ROWS) < 0.01).astype(int),
            "twenty classes": generator.choice(20, ROWS, p=shares / shares.sum()),
            "skewed": np.exp(3 * generator.normal(size=ROWS)),
        }[task]
        classes = 0 if task == "skewed" else int(target.max()) + 1
        found.append(text_to_target(frequent(seed, ROWS), target, classes, 100).p_value < 0.05)
    assert sum(found) <= most_by_chance(len(found), 0.05, 0.004)  # of 40 six


def test_a_word_of_a_rare_class_is_found() -> None:
    texts = frequent(3, ROWS)
    texts[:10] = [f"{text} broken" for text in texts[:10]]
    told = text_to_target(texts, (np.arange(ROWS) < 12).astype(int), 2, 2000)
    assert told.measure == "Cramér's V of 'broken'"
    assert told.p_value < 1e-10


def test_the_words_of_a_class_of_few_rows_are_not_drawn_first(
    on_tables: Texts, on_tests: Texts
) -> None:
    texts = np.concatenate([on_tables[:503], on_tests[:500]])
    target = np.repeat([0, 1, 2], [3, 500, 500])
    assert by_target(table(target, text=texts), "text").labels[0] in ("index", "distribution")


def test_a_text_that_stands_twice_is_redundant(on_tables: Texts) -> None:
    texts = on_tables[:ROWS]
    edited = np.where(np.arange(ROWS) % 50 == 0, "", texts)
    others = np.roll(texts, 1)
    assert len(set(texts.tolist())) == ROWS, "no two alike: there is nothing to group by"
    twice = table(np.arange(ROWS) % 2, one=texts, other=edited, third=others)
    (pair,) = redundant_pairs(twice, problem().analysis)
    assert (pair.first, pair.second, pair.mutual) == ("one", "other", True)
    assert pair.measure == "Cohen's kappa"


def test_two_texts_that_mostly_say_nothing_are_not_redundant() -> None:
    generator = np.random.default_rng(0)
    said = [np.where(generator.random(ROWS) < 0.01, frequent(k, ROWS), "none") for k in (1, 2)]
    assert np.mean(said[0] == said[1]) > 0.95
    assert (
        redundant_pairs(table(np.arange(ROWS) % 2, a=said[0], b=said[1]), problem().analysis) == []
    )


def test_a_word_without_end_leaves_room_for_the_picture() -> None:
    target = np.arange(400) % 2
    key = "q" * 3000
    texts = np.where(target == 1, f"paid with {key}", "paid in cash")
    found = analyse(table(target, text=texts), problem(analysis={"leakage": 1}))
    (column,) = found.columns
    assert len(column.related.measure) < 50
    told = {"problem": problem().to_document(), "run": {"id": "r"}, "verdicts": []}
    page = render_report(told | {"analysis": found.model_dump(mode="json")})
    assert key not in page
    assert 'width="-' not in page


def test_a_column_without_a_word_has_no_picture() -> None:
    empty = table(np.arange(60) % 2, text=np.full(60, ""))
    found = analyse(empty, problem())
    assert found.columns[0].profile.missing == 1
    told = {"problem": problem().to_document(), "run": {"id": "r"}, "verdicts": []}
    assert "Texts that hold" not in render_report(
        told | {"analysis": found.model_dump(mode="json")}
    )
