"""A saved model of a run folder that may come from anywhere."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from rnn_tf.errors import InputError
from rnn_tf.recipe.saved_model import load_classifier
from tests.fuzz import assert_sturdy

EXAMPLES = np.ones((2, 7, 5), "float32")


@pytest.fixture
def classifier(tmp_path) -> Path:
    """Save a small classifier of three classes."""
    inputs = keras.Input((None, 5))
    x = keras.layers.GRU(4)(inputs * 2)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    model.save(tmp_path / "gru.keras")
    return tmp_path / "gru.keras"


def change(path: Path, name: str, edit) -> Path:
    """Write the archive again, with one member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = edit(members[name])
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def replace(old: str, new: str):
    def edit(content: bytes) -> bytes:
        assert old.encode() in content
        return content.replace(old.encode(), new.encode())

    return edit


def test_a_sound_model_gives_what_keras_gives(classifier):
    rows = load_classifier(classifier, 3)(EXAMPLES)
    model = keras.saving.load_model(classifier)
    np.testing.assert_array_equal(rows, model.predict(EXAMPLES, verbose=0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"class_name": "Dense"', '"class_name": "Lambda"', "keras.layers.Lambda"),
        ('"module": "keras.layers"', '"module": "os"', "asks for os."),
        ('"class_name": "Dense"', '"class_name": "StringLookup"', "StringLookup"),
        ('"units": 4', '"units": 40000000', "'units' is 4e"),
    ],
)
def test_a_model_that_asks_for_more_than_ours_need_is_refused(
    classifier, old, new, message
):
    """Keras's own safe mode had holes in versions that are allowed here."""
    path = change(classifier, "config.json", replace(old, new))
    with pytest.raises(InputError, match=message) as error:
        load_classifier(path, 3)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_a_file_that_is_cut_off_is_one_line(classifier, size):
    """Would catch Keras's "File not found" of a file that is there."""
    classifier.write_bytes(classifier.read_bytes()[:size])
    with pytest.raises(InputError, match="is not a sound model") as error:
        load_classifier(classifier, 3)
    assert "\n" not in str(error.value)


def test_an_archive_that_unpacks_to_too_much_is_refused(classifier):
    """Would catch a bomb: some KB that fill the memory."""
    with zipfile.ZipFile(classifier, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(30_000_000))
    with pytest.raises(InputError, match="unpacked are too many"):
        load_classifier(classifier, 3)


def test_another_number_of_classes_is_refused(classifier):
    """Would catch an IndexError, and classes that are named wrongly."""
    with pytest.raises(InputError, match=r"gives \(3,\), for 5 classes"):
        load_classifier(classifier, 5)(EXAMPLES)


def test_what_is_no_probability_is_refused(classifier):
    """Would catch a forecast's model as a classifier: "cat -95 %"."""
    edit = replace('"activation": "softmax"', '"activation": "linear"')
    path = change(classifier, "config.json", edit)
    with pytest.raises(InputError, match="not probabilities"):
        load_classifier(path, 3)(EXAMPLES)


def test_examples_that_do_not_fit_are_refused(classifier):
    with pytest.raises(InputError, match="is not a sound model"):
        load_classifier(classifier, 3)(np.ones((2, 7, 6), "float32"))


def read_model(path: Path) -> None:
    load_classifier(path, 3)(EXAMPLES)


def read_config(path: Path) -> None:
    """Read the model beside `path`, with this file as its configuration."""
    model = path.with_suffix(".keras")
    read_model(change(model, "config.json", lambda _: path.read_bytes()))


@pytest.mark.long
def test_any_damage_to_a_model_is_harmless(classifier):
    assert_sturdy(read_model, classifier)


@pytest.mark.long
def test_any_damage_to_the_configuration_of_a_model_is_harmless(classifier):
    """As above where the archive is sound, so that Keras meets the damage."""
    path = classifier.with_suffix(".json")
    with zipfile.ZipFile(classifier) as archive:
        path.write_bytes(archive.read("config.json"))
    assert json.loads(path.read_text())
    assert_sturdy(read_config, path, copies=200)
