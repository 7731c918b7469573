"""Free text: plain words, hashed alike by numpy and by the graph, from table to endpoint."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from noria.core.cleansing.imputation import fill_value
from noria.core.data.dataset import Column, Dataset
from noria.core.data.text_normalization import MOST_WORDS, plain_words
from noria.core.features.array_operations import NumpyOperations
from noria.core.features.encoders import (
    FeatureStep,
    Narrowed,
    Numbers,
    Products,
    Ratios,
    TargetMeans,
)
from noria.core.features.feature_encoder import frame_of
from noria.core.features.plan import ladder, make_plan
from noria.core.features.text_encoders import BUCKETS, HashedWords, word_buckets
from noria.core.features.time_encoders import Calendar
from noria.core.features.word_hashing import word_hash
from noria.core.ml_need.quick_model import quick_model
from noria.core.model.example_requests import sample_rows
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import input_name
from noria.core.statistics.drift import build_reference
from noria.core.training.fitted_model import Member
from noria.core.training.onnx_export import IR_VERSION, OPSETS, RUNTIME_OPSETS, TYPES
from noria.core.training.onnx_operations import OnnxOperations
from noria.core.training.train import train
from noria.errors import DataError
from noria.serving.form_fields import hint
from noria.serving.openapi import schemas
from tests.support.data_frames import dataset_of, problem
from tests.support.examples import examples
from tests.support.model_data import problem as asked

PLAIN = ["", "refund", "please refund", "größe 漢字", "हिन्दी भाषा", "a b c d e f", "naïve 42 x"]
ANY_TEXT = st.one_of(
    st.sampled_from(PLAIN),
    st.text(max_size=40),
    st.lists(st.sampled_from(["late", "Late!", "refund", "ß", "İ", "ﬁ", "٣"]), max_size=30).map(
        " ".join
    ),
)
ODD_NUMBERS = st.one_of(st.just(float("nan")), st.floats(width=32, allow_infinity=False))


def graph_answers(step: FeatureStep, frame: pd.DataFrame, columns: list[Column]) -> np.ndarray:
    """Compute a step's features as its graph does, on the runtime that serves."""
    operations = OnnxOperations()
    operations.nodes.append(helper.make_node("Identity", [step.to_onnx(operations)], ["found"]))
    inputs = [
        helper.make_tensor_value_info(input_name(one.name), TYPES[one.kind], [None, 1])
        for one in columns
    ]
    output = helper.make_tensor_value_info("found", TensorProto.FLOAT, [None, None])
    graph = helper.make_graph(operations.nodes, "step", inputs, [output], operations.initializers)
    opsets = [helper.make_opsetid(*item) for item in (OPSETS | RUNTIME_OPSETS).items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    fields = {input_name(one.name): np.asarray(frame[one.name]).reshape(-1, 1) for one in columns}
    return np.asarray(session.run(["found"], fields)[0])


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Compare all bits but those of NaN, of which there are many."""
    plain = [np.where(np.isnan(values), np.float32(np.nan), values) for values in (one, other)]
    return one.shape == other.shape and plain[0].tobytes() == plain[1].tobytes()


@examples(1_000, quick=40)
@given(st.text(max_size=80))
def test_plain_words_are_plain(text: str) -> None:
    found = plain_words(text)
    assert plain_words(found) == found
    assert "  " not in found
    assert found == found.strip()
    assert plain_words(f"  {found.upper()}!  ") == plain_words(found.upper())


def test_plain_words_settle_case_punctuation_and_unicode() -> None:
    assert plain_words("Please REFUND-me, \tnow!!") == "please refund me now"
    assert plain_words("Straße ﬁnal e\u0301te\u0301") == "strasse final été"
    assert plain_words("हिन्दी!") == "हिन्दी"
    assert plain_words("… —") == ""
    assert len(plain_words("word " * 500).split()) == MOST_WORDS


@examples(300, quick=40)
@given(st.text(min_size=1, max_size=30).filter(lambda word: "\0" not in word))
def test_training_hashes_a_word_as_the_graph_does(word: str) -> None:
    assert word_hash(word) == _hashed_by_onnx_runtime(word)


@pytest.mark.parametrize(
    ("text", "known"),
    [("", 0), ("test", 0xBA6BD213), ("Hello, world!", 0xC0363E43)],
)
def test_the_hash_is_murmurhash3_of_the_published_values(text: str, known: int) -> None:
    assert word_hash(text) == known


def _hashed_by_onnx_runtime(word: str) -> int:
    node = helper.make_node(
        "MurmurHash3", ["word"], ["hash"], domain="com.microsoft", positive=1, seed=0
    )
    graph = helper.make_graph(
        [node],
        "hash",
        [helper.make_tensor_value_info("word", TensorProto.STRING, [1])],
        [helper.make_tensor_value_info("hash", TensorProto.UINT32, [1])],
    )
    opsets = [helper.make_opsetid(domain, n) for domain, n in (OPSETS | RUNTIME_OPSETS).items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return int(session.run(None, {"word": np.array([word], dtype=object)})[0][0])


@examples(300, quick=40)
@given(st.lists(ANY_TEXT, min_size=1, max_size=25), st.lists(ANY_TEXT, min_size=1, max_size=10))
def test_words_have_the_same_bits_in_the_graph(seen: list[str], new: list[str]) -> None:
    """Whatever the texts: empty, of one word, with scripts of any kind, or all of them missing."""
    train_frame = pd.DataFrame({"t": np.array([plain_words(text) for text in seen * 12])})
    target = (np.arange(len(train_frame)) % len(seen) < len(seen) / 2).astype(np.int64)
    step = HashedWords("t").fit(train_frame, target)
    frame = pd.DataFrame({"t": [plain_words(text) for text in new]}, dtype=object)
    expected = step.transform(frame)
    assert expected.shape == (len(new), len(step.names))
    assert same_bits(expected, graph_answers(step, frame, [Column("t", "text")]))


@examples(100)
@given(
    st.lists(
        st.tuples(ODD_NUMBERS, ODD_NUMBERS, ANY_TEXT, st.integers(-(10**11), 10**11)),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 2**16),
)
def test_narrowed_steps_have_the_same_bits_in_the_graph(
    rows: list[tuple[float, float, str, int]], seed: int
) -> None:
    frame = pd.DataFrame(
        {
            "a": np.array([row[0] for row in rows], dtype=np.float32),
            "b": np.array([row[1] for row in rows], dtype=np.float32),
            "t": np.array([plain_words(row[2]) for row in rows], dtype=object),
            "at": np.array([row[3] for row in rows], dtype=np.int64),
        }
    )
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 3, len(rows))
    pairs = [("a", "b"), ("b", "a"), ("a", "a")]
    steps = [Numbers(["a", "b"]), Ratios(pairs), Products(pairs), Calendar("at", cycles=True),
             TargetMeans("t", 3), HashedWords("t")]  # fmt: skip
    kinds = {"a": "number", "b": "number", "t": "text", "at": "timestamp"}
    for step in steps:
        whole = step.fit(frame, target).transform(frame)
        kept = np.sort(generator.permutation(whole.shape[1])[: 1 + seed % whole.shape[1]])
        narrow = step.narrowed(kept)
        found = narrow.transform(frame)
        assert same_bits(found, np.ascontiguousarray(whole[:, kept]))
        assert narrow.names == [step.names[place] for place in kept]
        columns = [Column(name, kinds[name]) for name in narrow.reads]  # type: ignore[arg-type]
        assert same_bits(found, graph_answers(narrow, frame, columns))


def test_narrowed_numbers_read_fewer_columns() -> None:
    assert Numbers(["a", "b", "c"]).narrowed(np.array([2])).reads == ("c",)
    assert Ratios([("a", "b"), ("c", "d")]).narrowed(np.array([1])).reads == ("c", "d")
    assert isinstance(Calendar("at", cycles=False).narrowed(np.array([0])), Narrowed)


def test_buckets_tell_words_pairs_and_padding_apart() -> None:
    frame = pd.DataFrame({"t": np.array(["late parcel", "parcel", ""], dtype=object)})
    operations = NumpyOperations(frame)
    found = word_buckets(operations, operations.column("t"))
    assert [int((row < BUCKETS).sum()) for row in found] == [3, 1, 0]
    assert found[0, 1] == found[1, 0] == word_hash("parcel") % BUCKETS


def test_telling_words_are_chosen_named_and_damped() -> None:
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, 600)
    noise = generator.choice(["box red", "blue box", "red"], 600)
    said = [f"{n} refund" if y else n for n, y in zip(noise, target, strict=True)]
    step = HashedWords("note").fit(pd.DataFrame({"note": said}), target)
    assert "note has 'refund'" in step.names
    assert step.names[-1] == "note other words"
    place = step.names.index("note has 'refund'")
    counts = step.transform(pd.DataFrame({"note": ["refund refund refund", "box", ""]}))
    assert counts[:, place].tolist() == [np.float32(1 + np.log(3)), 0, 0]


def complaints(rows: int = 400) -> pd.DataFrame:
    """Complaints in free words, of which those that ask for money back matter; y says which."""
    generator = np.random.default_rng(5)
    asked_for = generator.random(rows) < 0.5
    words = np.array(["The parcel", "came", "late", "today", "box", "was", "green", "broken"])
    texts = [
        " ".join([*generator.choice(words, 5), f"no. {i}", "REFUND, please!" if a else "Thanks."])
        for i, a in enumerate(asked_for)
    ]
    texts[7] = ""
    return pd.DataFrame(
        {"note": texts, "weight": generator.normal(size=rows), "y": asked_for.astype(int)}
    )


def test_prose_is_a_text_without_being_declared_and_codes_are_identifiers() -> None:
    frame = complaints().assign(code=[f"order-{i}" for i in range(400)])
    dataset = dataset_of(frame, problem())
    assert [(one.name, one.kind) for one in dataset.columns] == [
        ("note", "text"), ("weight", "number")
    ]  # fmt: skip
    assert dataset.data["note"][0] == plain_words(frame["note"][0])
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.columns == dataset.columns
    assert (again.data["note"] == dataset.data["note"]).all()


def test_a_declared_text_may_repeat() -> None:
    frame = complaints().assign(note=lambda f: np.where(f["y"] == 1, "Money back!", "all fine"))
    rule = {"quality": {"minimum_rows": 10, "columns": {"note": {"type": "text"}}}}
    dataset = dataset_of(frame, problem(**rule))
    assert Column("note", "text") in dataset.columns
    assert set(dataset.data["note"]) == {"money back", "all fine"}


def test_a_text_travels_from_the_table_to_the_answer() -> None:
    dataset = dataset_of(complaints(), problem())
    plan = make_plan(dataset, asked(features={"recipes": ["text"]}), 1)
    trained = train(dataset, [Member(plan, "logistic_regression")], asked(), 0)
    model = OnnxModel(trained.onnx, trained.signature)
    holdout = dataset.holdout_rows
    assert np.abs(model.score(holdout.data) - trained.holdout_scores).max() < 1e-6
    rows = [{"note": "I want a Refund — PLEASE"}, {"note": "thanks!"}, {"note": None}, {}]
    probabilities = [answer["probability"] for answer in model.predict(rows)]
    assert probabilities[0] > 0.9
    assert probabilities[1] < 0.2
    assert probabilities[2] == probabilities[3]
    field = trained.signature.columns[0]
    assert (field.kind, field.values, hint(field)) == ("text", (), "text")
    assert sample_rows(holdout, trained.signature)[0]["note"] == holdout.data["note"][-3]
    schema = schemas(trained.signature)["Row"]["properties"]["note"]
    assert schema == {"type": ["string", "null"]}
    assert list(build_reference(dataset, trained.holdout_scores).columns) == ["note", "weight"]


def test_the_quick_model_reads_texts() -> None:
    dataset = dataset_of(complaints(), problem()).only(["note"])
    scores = quick_model(dataset.training, dataset.holdout_rows, 0)
    truth = dataset.holdout_rows.target
    assert scores[truth == 1].min() > scores[truth == 0].max()


def test_nothing_but_texts_is_enough_for_the_first_rung() -> None:
    dataset = dataset_of(complaints(), problem()).only(["note"])
    assert [rung.name for rung in ladder(dataset, asked())] == ["basic"]
    plan = make_plan(dataset, asked(), 0)
    assert plan.parts["texts"] == (("note",),)
    trained = train(dataset, [Member(plan, "hist_gradient_boosting")], asked(), 0)
    assert trained.importances["note"] > 0.3


def test_missing_texts_can_be_filled_but_not_averaged() -> None:
    texts = np.array(["so so", "", "so so"])

    def filling(missing: object) -> float | str | None:
        rules = {"note": {"missing": missing}}
        return fill_value("note", "text", texts, problem(quality={"columns": rules}))

    assert filling({"value": "Not said."}) == "not said"
    assert filling("most_frequent") == "so so"
    with pytest.raises(DataError, match=r"quality\.columns\.note\.missing is median"):
        filling("median")


def test_frames_code_texts_once() -> None:
    dataset = dataset_of(complaints(), problem())
    assert isinstance(frame_of(dataset)["note"].dtype, pd.CategoricalDtype)
