"""Free text in the analysis, in drift and in live use: by its words."""

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from noria.contracts import Problem
from noria.core.analysis.analyse import AnalysisResult, analyse
from noria.core.analysis.profiling import profile_column
from noria.core.data.dataset import Column, Dataset
from noria.core.data.vocabulary import frequent_words, rarest_word
from noria.core.model.signature import Field
from noria.core.monitoring.prediction_log import columns_of
from noria.core.reporting.report import render_report
from noria.core.statistics.association import NONE, text_to_target
from noria.core.statistics.drift import DriftReference, build_reference, measure_drift
from tests.support.model_data import problem
from tests.support.recipe_data import planted

PROBLEM: Problem = problem()


@pytest.fixture(scope="module")
def letters() -> Dataset:
    """4,000 letters, of which those that want a refund are nearly all the positive ones."""
    return planted("a keyword")


@pytest.fixture(scope="module")
def found(letters: Dataset) -> AnalysisResult:
    return analyse(letters, PROBLEM)


def column(found: AnalysisResult, name: str) -> object:
    return next(one for one in found.columns if one.name == name)


def test_a_text_is_described_by_its_words() -> None:
    texts = np.array(["to be or not to be", "to go", "", "be here"])
    told = profile_column(texts, "text")
    assert (told.kind, told.missing, told.distinct) == ("text", 0.25, 3)
    assert [(one.value, one.count) for one in told.top[:2]] == [("be", 2), ("to", 2)]
    assert told.quantiles[0] == 2
    assert told.quantiles[-1] == 6
    assert told.entropy > 2


def test_a_column_without_texts_is_described_as_empty() -> None:
    told = profile_column(np.array(["", ""]), "text")
    assert (told.missing, told.distinct, told.quantiles, told.top) == (1.0, 0, [], [])
    assert text_to_target(np.array([""] * 9), np.arange(9) % 2, 2, 10) == NONE


def test_the_word_that_tells_is_named(found: AnalysisResult, letters: Dataset) -> None:
    note = next(one for one in found.columns if one.name == "note")
    assert note.related.measure == "Cramér's V of 'refund'"
    assert note.related.strength > 0.9
    assert note.related.significant
    assert found.columns[0].name == "note"
    pictures = {one.column: one for one in found.distributions}
    assert pictures["note"].labels[0] == "refund"
    assert abs(np.subtract(*(one[0] for one in pictures["note"].series.values()))) > 0.9


def test_words_that_tell_nothing_are_not_told_of(letters: Dataset) -> None:
    """GIVEN an outcome that no word decides THEN trying a hundred of them finds none."""
    chance = replace(letters, target=np.random.default_rng(2).integers(0, 2, len(letters)))
    note = next(one for one in analyse(chance, PROBLEM).columns if one.name == "note")
    assert not note.related.significant


def test_a_word_of_a_regression_is_found() -> None:
    generator = np.random.default_rng(3)
    texts = np.where(generator.random(800) < 0.3, "big red box", "small red box")
    price = np.where(texts == "big red box", 9.0, 1.0) + generator.normal(size=800)
    told = text_to_target(texts, price, 0, most=20)
    assert told.measure in ("rank epsilon² of 'big'", "rank epsilon² of 'small'")
    assert told.p_value < 1e-20


def test_a_word_that_decides_alone_is_suspected(letters: Dataset) -> None:
    told = np.char.find(letters.data["note"], "refund") >= 0
    leaky = replace(letters, target=told.astype(int))
    suspects = {one.column: one.reason for one in analyse(leaky, PROBLEM).leakage}
    assert "nearly determines the target alone (Cramér's V of 'refund'" in suspects["note"]


def test_the_report_draws_texts(found: AnalysisResult) -> None:
    page = render_report({"problem": PROBLEM.to_document(), "run": {"id": "r"}, "verdicts": [],
                          "analysis": found.model_dump(mode="json")})  # fmt: skip
    assert "refund" in page
    assert "Cramér's V of 'refund'" in unescape(page)


def test_what_people_write_of_moves_with_time(letters: Dataset) -> None:
    """GIVEN letters that speak of other things in the end THEN the column has drifted."""
    moved = letters.data["note"].astype(object)
    late = np.arange(len(moved)) >= len(moved) * 0.6
    moved[late] = [text.replace("parcel", "drone").replace("box", "drone") for text in moved[late]]
    times = np.arange(len(moved), dtype=np.int64) * 60
    timed = replace(letters, event_time=times, data={**letters.data, "note": moved.astype(str)})
    assert analyse(replace(letters, event_time=times), PROBLEM).shifts.drifted == []
    assert "note" in analyse(timed, PROBLEM).shifts.drifted


class TestLive:
    """The monitor compares what is asked with what was learnt, texts among it."""

    FIELDS = (Field(name="note", kind="text"),)

    @pytest.fixture
    def reference(self, letters: Dataset) -> DriftReference:
        only = letters.only(["note"]).training
        return build_reference(only, np.zeros(len(only)), {"note": 1.0})

    def drift(self, reference: DriftReference, texts: list[object]) -> float:
        records = [{"inputs": {"note": text}} for text in texts]
        columns = columns_of(records, reference, self.FIELDS)
        return measure_drift(reference, columns, np.zeros(len(texts))).columns[0].psi

    def test_the_same_letters_have_not_moved(
        self, reference: DriftReference, letters: Dataset
    ) -> None:
        texts: list[object] = letters.holdout_rows.data["note"].tolist()
        assert self.drift(reference, texts) < 0.02
        # As people write them: the words are what counts.
        assert self.drift(reference, [str(text).upper() + "!" for text in texts]) < 0.02

    def test_another_language_has(self, reference: DriftReference) -> None:
        assert self.drift(reference, ["Das Paket kam heute zu spät"] * 300) > 1

    def test_nothing_at_all_has(self, reference: DriftReference) -> None:
        assert self.drift(reference, [None, 7, True] * 100) > 1

    def test_a_reference_of_before_there_were_texts_is_read(
        self, reference: DriftReference
    ) -> None:
        old = reference.model_copy(update={"columns": {}})
        read = DriftReference.model_validate_json(old.model_dump_json())
        assert columns_of([{"inputs": {"note": "x"}}], read, self.FIELDS) == {}


def test_two_columns_of_one_text_are_redundant() -> None:
    generator = np.random.default_rng(4)
    texts = generator.choice([f"letter number {n}" for n in range(40)], 600)
    data = {"one": texts, "other": texts, "x": generator.normal(size=600)}
    columns = (Column("one", "text"), Column("other", "text"), Column("x", "number"))
    twice = Dataset(columns, data, generator.integers(0, 2, 600), ("a", "b"), np.zeros(600, bool))
    pairs = [{one.first, one.second} for one in analyse(twice, PROBLEM).redundant]
    assert pairs == [{"one", "other"}]


def test_each_text_falls_to_one_word() -> None:
    texts = np.array(["the cat", "the dog", "a bird", "the"])
    words = frequent_words(texts, most=3)
    assert words.names == ["the", "a", "bird"]
    assert words.counts.tolist() == [3, 1, 1]
    assert words.holds(0).tolist() == [True, True, False, True]
    assert rarest_word(texts.tolist(), words.names) == ["the", "the", "bird", "the"]
