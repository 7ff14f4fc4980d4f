"""Words from a picture, a digit or a text: what is read, written and counted."""

import itertools

import keras
import numpy as np
import pytest

from rnn_tf.data.drawings import scenes
from rnn_tf.data.text import summaries as letters
from rnn_tf.data.text.tokens import BEGIN, END
from rnn_tf.studies import captions, sentences, spelling, summaries


def test_scores_by_hand():
    """Would catch words that count for more than there are, or at any place."""
    right = ["a one", "a one above a two", "a two"]
    written = ["a one", "a one above a six", "an eight above"]
    scored = sentences.scores(right, written, scenes.TOKENS)
    assert scored["n"] == 3
    assert scored["exact"] == pytest.approx(100 / 3)
    assert scored["tokens"] == pytest.approx(100 * (2 + 4 + 0) / (2 + 5 + 3))
    spelled = sentences.scores(["five"], ["fire"], spelling.LETTERS)
    assert (spelled["exact"], spelled["tokens"]) == (0, 75)


def test_the_nearest_and_the_commonest_know_training_alone():
    blank = np.zeros((3, 4, 4, 1), "float32")
    train = scenes.Scenes(
        blank + np.arange(3)[:, None, None, None], ("a one", "a two", "a two"),
        np.ones(3), np.zeros((3, 3)),
    )  # fmt: skip
    test = scenes.Scenes(blank[:2] + 0.1, ("a six",) * 2, np.ones(2), np.zeros((2, 3)))
    assert captions.nearest(train, test) == ("a one", "a one")
    assert captions.commonest(train, test) == ("a two", "a two")


def test_a_summary_keeps_the_first_of_each():
    assert letters.summary("fbfcbf") == "fbc"
    parts = letters.texts(300, 60, seed=1)
    assert not set(parts["train"].texts) & set(parts["test"].texts)
    lengths = {len(text) for text in parts["test"].texts}
    assert lengths <= set(range(letters.SHORTEST, letters.LONGEST + 1))
    assert len(lengths) > 4


def test_a_bag_has_lost_the_order_that_all_letters_at_once_have():
    """Would catch a bag that holds order, and blanks that count as a letter."""
    first, second = ("abca",), ("caab",)
    assert (summaries.bag(first) == summaries.bag(second)).all()
    assert summaries.bag(first).tolist() == [[2, 1, 1, 0, 0, 0]]
    assert (summaries.flat(first) != summaries.flat(second)).any()
    assert summaries.flat(first).sum() == 4
    numbers = summaries.numbered(first)[0]
    assert letters.TOKENS.decode(numbers) == "abca"
    assert (numbers == END).sum() == 1


def test_what_is_learned_by_heart_is_written_up_to_the_stop():
    """Would catch targets moved by one step, and texts without their end."""
    keras.utils.set_random_seed(1)
    model = sentences.from_vector(2, len(spelling.LETTERS))
    sentences.compiled(model)
    x = np.tile(np.eye(2, dtype="float32"), (64, 1))
    sentences.train(model, x, ("five", "nine") * 64, spelling.LETTERS, epochs=25)
    write = sentences.writer(model, spelling.LONGEST)
    assert write(x[:3], spelling.LETTERS) == ("five", "nine", "five")


NETWORKS = {
    **{name: (build, captions.MAPS) for name, build in captions.NETWORKS.items()},
    "bag": (summaries.from_bag, (6,)),
    "spelling": (spelling._decoder, (sentences.UNITS,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_word_hangs_on_the_input_and_on_words_before(name, tmp_path):
    """Would catch a decoder that sees what it is to write, and one that is lost when
    it is saved."""
    build, shape = NETWORKS[name]
    keras.utils.set_random_seed(1)
    model = build()
    random = np.random.default_rng(1)
    x = random.normal(size=(2, *shape)).astype("float32")
    x[1] = x[0]
    words = np.array([[BEGIN, 5, 6], [BEGIN, 5, 7]], "int32")
    logits = np.asarray(model.predict_on_batch([x, words]))
    assert np.abs(logits[0, :2] - logits[1, :2]).max() < 1e-5
    assert np.abs(logits[0, 2] - logits[1, 2]).max() > 1e-4
    other = np.asarray(model.predict_on_batch([x + 1, words]))
    assert np.abs(other - logits).max() > 1e-4
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.allclose(again.predict_on_batch([x, words]), logits, atol=1e-5)


def test_the_cut_cnn_reads_scenes_with_what_it_learned():
    """Would catch maps of untrained weights, and captions of two digits as labels."""
    parts = scenes.scenes(200, 10, seed=1)
    pictures, classes = captions.single_digits(parts["train"])
    assert pictures.shape == (67, 12, 12, 1)
    one = np.flatnonzero(parts["train"].digits == 1)
    assert [scenes.NAMES[n] for n in classes[:3]] == [
        parts["train"].captions[n].split()[1] for n in one[:3]
    ]
    maps = captions.feature_maps([parts])[0]
    assert maps["train"].shape == (200, *captions.MAPS)
    assert np.std(maps["train"]) == pytest.approx(1, abs=1e-4)
    (_, cut), read = captions.classifier(), captions.convolutions(scenes.SIDE)
    assert [w.shape for w in cut.weights] == [w.shape for w in read.weights]


def test_the_new_digits_are_none_that_the_cnn_learned():
    train, test, known = spelling.digits(1)
    names = {*train[1], *test[1]}
    assert names == set(scenes.NAMES[spelling.KNOWN :])
    assert set(known[1]) == set(range(spelling.KNOWN))
    shown = {picture.tobytes() for picture in train[0]}
    assert not shown & {picture.tobytes() for picture in test[0]}


def test_features_are_scaled_by_training_and_filled_up():
    x, x_test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[5.0, 6.0]])
    own, other = spelling.scaled(x, x_test)
    assert own.shape == (2, sentences.UNITS)
    assert own[:, :2].tolist() == [[-1, 0], [1, 0]]
    assert other[0, :2].tolist() == [3, 1]
    assert not own[:, 2:].any()


@pytest.mark.slow
def test_every_task_model_and_seed_has_its_rows(monkeypatch):
    plan = captions.Plan(200, 20, 1, tuple(captions.NETWORKS))
    monkeypatch.setitem(captions.PLANS, "quick", plan)
    monkeypatch.setattr(captions, "CNN_EPOCHS", 1)
    monkeypatch.setitem(spelling.EPOCHS, "quick", (1, 1))
    shown = []
    rows = list(captions.rows(2, "quick", lambda *given: shown.append(given)))
    assert {tuple(row) for row in rows} == {tuple(captions.COLUMNS)}
    keys = {(r["task"], r["model"], r["part"], r["digits"], r["seed"]) for r in rows}
    assert len(keys) == len(rows)
    for name, part in itertools.product(captions.NETWORKS, ("test", "held_out")):
        own = [r for r in rows if (r["model"], r["part"]) == (name, part)]
        whole = [row["n"] for row in own if row["digits"] == ""]
        assert whole == [20, 20]
        assert sum(row["n"] for row in own) == 80
    assert {r["model"] for r in rows if r["task"] == "spelled"} == {
        "most_frequent", "nearest", "hidden", "scores", "random",
    }  # fmt: skip
    ((pictures, right, written),) = shown
    assert len(pictures) == len(right) == len(written) == 20


@pytest.mark.slow
def test_summaries_have_a_row_for_each_model_and_seed(monkeypatch):
    plan = summaries.Plan(128, 20, 1, tuple(summaries.NETWORKS))
    monkeypatch.setitem(summaries.PLANS, "quick", plan)
    rows = list(summaries.rows(2, "quick"))
    assert {tuple(row) for row in rows} == {tuple(summaries.COLUMNS)}
    models = [row["model"] for row in rows if row["seed"] == 1]
    assert models == ["copy", "alphabet", *summaries.NETWORKS]
    assert {row["n"] for row in rows} == {20}
