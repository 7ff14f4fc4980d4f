"""Scores of classes, by hand."""

import keras
import numpy as np
import pytest

from rnn_tf.metrics import classification


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_by_hand(classes):
    """Would catch metrics that cannot count to two, or rank ties against a model."""
    names = tuple("abcdefg"[:classes])
    probabilities = np.eye(classes)[[0, 1, 1, 0]] * 0.9 + 0.1 / classes
    scores = classification.scores(np.array([0, 1, 0, 1]), probabilities, names)
    found = {(row["metric"], row["slice"]): row["value"] for row in scores.metrics}
    assert found == {
        ("error", ""): 50.0, ("top5_error", ""): 0.0, ("macro_f1", ""): 0.5,
        ("error", "a"): 50.0, ("error", "b"): 50.0,
    }  # fmt: skip
    assert scores.errors.tolist() == [0.0, 0.0, 100.0, 100.0]
    assert [row["prediction"] for row in scores.predictions] == ["a", "b", "b", "a"]
    assert scores.predictions[0]["probability"] == pytest.approx(0.9 + 0.1 / classes)
    assert scores.predictions[0]["third"] == ("" if classes == 2 else "c")


def test_the_five_best_and_rare_classes():
    """Would catch a rank that is one off, and an F1 that is the accuracy."""
    ranked = np.tile(np.arange(7, 0, -1) / 28, (4, 1))  # the best guess is always 0
    scores = classification.scores(np.array([0, 0, 4, 5]), ranked, "abcdefg")
    found = {(row["metric"], row["slice"]): row["value"] for row in scores.metrics}
    assert found["error", ""] == 50
    assert found["top5_error", ""] == 25  # number 5 is the sixth
    f1 = 2 * 0.5 * 1 / (0.5 + 1)  # of "a": half of its guesses, all of its examples
    assert found["macro_f1", ""] == pytest.approx(f1 / 3)
    assert ("error", "b") not in found


def test_the_majority_knows_the_shares_and_nothing_else():
    found = classification.majority(np.array([0, 2, 2, 2]), classes=4, count=2)
    assert found.tolist() == [[0.25, 0, 0.75, 0]] * 2


def test_models_that_are_called_alike_are_averaged_and_saved(tmp_path):
    """Would catch an ensemble of the course's program, which has a name, that fails."""
    models = []
    for _ in range(3):
        inputs = keras.Input((2,))
        dense = keras.layers.Dense(2, activation="softmax")
        models.append(keras.Model(inputs, dense(inputs), name="answer"))
    inputs = keras.Input((2,))
    mean = classification.average_models(models, inputs, inputs * 3)
    mean.save(tmp_path / "mean.keras")
    loaded = keras.saving.load_model(tmp_path / "mean.keras", compile=False)
    x = np.array([[0.5, -1.0]], "float32")
    expected = np.mean([model(3 * x) for model in models], axis=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-6)
    one = classification.average_models(models[:1], inputs, inputs)
    np.testing.assert_allclose(one(x), models[0](x), atol=1e-6)


def test_wrong_counts_wrong_guesses():
    found = classification.wrong(np.array([0, 1, 1]), np.eye(2)[[0, 0, 1]])
    assert keras.ops.convert_to_numpy(found).tolist() == [0, 1, 0]
