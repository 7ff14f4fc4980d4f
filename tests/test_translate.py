"""The translate experiment from end to end, and what its command `say` translates."""

import csv
import functools
import json
import shutil
from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest

from experiments import translate
from rnn_tf import config
from rnn_tf.data.text import pair_batches
from rnn_tf.errors import InputError
from rnn_tf.metrics.translation import Translations
from rnn_tf.models.translation import Search
from rnn_tf.models.translation import translate as search_for
from rnn_tf.recipe import saved_model
from rnn_tf.studies import decoding, translations

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "data": ("dates",),
    "examples": 200,
    "models": ("plain", "encoder_decoder_no_end", "attention"),
    "units": 8,
    "batch_size": 16,
    "epochs": 1,
    "seeds": 1,
    "jobs": 1,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return translate.run(translate.Config(results=folder, **TINY))["dates"]


@pytest.fixture(scope="module")
def attending(done, tmp_path_factory):
    """The same run as if it had chosen attention: so short a one may choose any."""
    folder = shutil.copytree(done.folder, tmp_path_factory.mktemp("attending") / "run")
    network = done.members["attention"]()
    network.model.save(folder / "attention.keras")
    info = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(info | {"chosen": "attention"}))
    return SimpleNamespace(folder=folder)


def rows(path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_tables_and_pictures(done):
    info = json.loads((done.folder / "config.json").read_text())
    assert {path.name for path in done.folder.iterdir()} == {
        *("history.csv", "metrics.csv", "trials.csv"),
        *("beams.csv", "stopping.csv", "held_out.csv"),
        *("learning_curves.png", "lengths.png", "beams.png", "alignment.png"),
        *("config.json", "samples.md", f"{info['chosen']}.keras"),
    }
    assert "tok:char" in info["data"]["signatures"]["bleu"]
    assert info["data"]["limit"] == 11 + translations.MARGIN


def test_every_model_and_baseline_is_scored_on_the_same_sentences(done):
    metrics = done.tables["metrics"]
    test = metrics[(metrics["split"] == "test") & (metrics["slice"] == "")]
    names = {*TINY["models"], "copy", "most_frequent", "nearest", "word_by_word"}
    for metric in ("chrf_error", "exact", "bleu", "unstopped", "length_ratio"):
        own = test[test["metric"] == metric]
        assert set(own["model"]) == names
        assert set(own["n"]) == {20}


def test_without_a_stop_token_nothing_stops_but_the_limit(done):
    metrics = done.tables["metrics"]
    test = metrics[(metrics["split"] == "test") & (metrics["metric"] == "unstopped")]
    own = test[test["model"] == "encoder_decoder_no_end"]
    assert own["value"].item() == 100
    network = done.members["encoder_decoder_no_end"]()
    texts = translate.predict(1, network, done.data, "test").texts
    assert {len(text) for text in texts} == {10}  # as long as any date of training


def test_the_score_while_training_is_of_real_tokens_alone(done):
    """Would catch padding that counts."""
    network, source = done.members["attention"](), done.data.source
    part = source.parts["validation"]
    (x, before), y, weights = pair_batches.Layout().cut(part, np.arange(len(part)))
    logits = network.model.predict_on_batch([x, before])
    logs = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))
    nats = -np.take_along_axis(logs, y[..., None], axis=-1)[..., 0]
    history = done.tables["history"]
    best = history[history["model"] == "attention"]["score"].min()
    assert best == pytest.approx((nats * weights).sum() / weights.sum(), rel=1e-4)


def test_decoding_step_by_step_is_what_was_trained(done):
    """Would catch a decoder that in training sees what it does not see later."""
    model, source = done.members["attention"]().model, done.data.source
    part = source.parts["test"].first(3)
    found = search_for(model, part.sources, Search(source.limit))
    tokens = found.tokens[:, 0]
    before = np.concatenate([np.full((3, 1), 3), tokens[:, :-1]], axis=1)
    x = part.sources.pad(range(3), 40)  # more padding than the search had
    logits = model.predict_on_batch([x, before.astype("int32")])
    likeliest = logits.argmax(axis=-1)
    for row, length in enumerate(found.lengths[:, 0]):
        assert (likeliest[row, :length] == tokens[row, :length]).all()
    logs = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))
    own = np.take_along_axis(logs, tokens[..., None], axis=-1)[..., 0]
    inside = np.arange(tokens.shape[1]) < found.lengths
    assert found.log_probabilities[:, 0] == pytest.approx(
        (own * inside).sum(axis=1), abs=1e-3
    )


def test_a_plain_network_says_no_more_than_it_reads(done):
    network, source = done.members["plain"](), done.data.source
    part = source.parts["test"].first(5)
    found = search_for(network.model, part.sources, Search(source.limit))
    assert (found.lengths[:, 0] <= part.sources.lengths + 1).all()  # and the end
    texts = translations.written(source, found).texts
    for text, row in zip(texts, part.sources.rows, strict=True):
        assert len(text) <= len(row)


def test_more_beams_and_stopping_are_measured(done):
    beams = rows(done.folder / "beams.csv")
    assert [(r["beams"], r["alpha"]) for r in beams] == [
        ("1", "0.0"), ("1", "1.0"), ("5", "0.0"), ("5", "1.0"),
    ]  # fmt: skip
    greedy = [row for row in beams if row["beams"] == "1"]
    assert {row["likelier"] for row in greedy} == {"100.0"}
    (stopping,) = rows(done.folder / "stopping.csv")
    assert stopping["steps"] == stopping["longest"]
    assert stopping["steps_fixed"] == stopping["limit"]


def test_ways_held_out_are_scored_for_every_network(done):
    table = rows(done.folder / "held_out.csv")
    kinds = done.data.source.text.held_out
    assert {(r["model"], r["kind"]) for r in table} == {
        (model, kind) for model in TINY["models"] for kind in kinds
    }


def test_of_several_beams_the_best_is_chosen_with_and_without_length():
    found = decoding.Translated(
        np.array([[[4, 1, 1], [5, 5, 1]]]),
        np.array([[-1.0, -1.2]]),
        np.array([[2, 3]]),
        np.array([[True, True]]),
        3,
    )
    assert decoding.choose(found, 0.0).tokens.tolist() == [[[4, 1, 1]]]
    assert decoding.choose(found, 1.0).tokens.tolist() == [[[5, 5, 1]]]


# ---------------------------------------------------------------- say


@pytest.fixture(autouse=True, scope="module")
def loaded_once():
    """Compile what translates once for all that is said here."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(saved_model.load_translator)
        patch.setattr(saved_model, "load_translator", once)
        yield


def say(done, *arguments) -> int:
    command = ["say", "--model", str(done.folder), *arguments]
    return config.main(
        translate.run, translate.Config, translate.FULL, "translate", command,
        say=translate.say,
    )  # fmt: skip


def test_a_sentence_a_file_and_stdin_are_translated_alike(
    done, capsys, tmp_path, monkeypatch
):
    (tmp_path / "a.txt").write_text("27. November 2026\n")
    with (tmp_path / "a.txt").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        said = []
        for arguments in (
            ["27. November 2026"],
            ["--file", str(tmp_path / "a.txt")],
            [],
        ):
            assert say(done, *arguments) == 0
            said.append(capsys.readouterr().out)
    assert said[0] == said[1] == said[2]
    assert said[0].count("\n") == 1


def test_the_best_of_several_beams_come_first_with_their_scores(attending, capsys):
    assert say(attending, "27.11.2026", "--n-best", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("\t" in line for line in lines)


def test_draws_differ_and_a_seed_gives_them_again(done, capsys):
    """Would catch a temperature that a search ignores, and draws that all are one."""
    draws = []
    for seed in ("1", "1", "2"):
        options = "--temperature", "2", "--seed", seed, "--n-best", "4"
        assert say(done, "27.11.2026", *options) == 0
        draws.append(capsys.readouterr().out.splitlines())
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 4


def test_the_attention_is_drawn(attending, tmp_path):
    path = tmp_path / "a.png"
    assert say(attending, "27.11.2026", "--attention", str(path)) == 0
    assert path.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "--beam", "0"), "--beam is 0"),
        (("a", "--n-best", "9"), "--n-best is 9; of 5 beams, it can be 1 to 5"),
        (("a", "--temperature", "-1"), "--temperature is -1"),
        (
            ("a", "--temperature", "1", "--beam", "2"),
            "--beam 2 and --temperature 1: a translation is searched for or drawn",
        ),
        (("a", "--temperature", "1", "--seed", "-1"), "--seed is -1"),
        (("a", "--attention", "a.txt"), "name a file in .png"),
        (("a", "--attention", "none/a.png"), "there is no such folder"),
        ((" ",), "the text is empty"),
        (("--file", "nowhere.txt"), "nowhere.txt cannot be read"),
    ],
)
def test_what_cannot_be_translated_ends_in_one_line(done, capsys, arguments, message):
    assert say(done, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_source_longer_than_any_of_training_is_said(done, capsys):
    assert say(done, "27.11.2026 " * 9) == 0
    assert "the longest of training" in capsys.readouterr().err


def test_a_folder_without_a_model_ends_in_one_line(tmp_path, capsys):
    command = ["say", "a", "--model", str(tmp_path)]
    assert config.main(
        translate.run, translate.Config, {}, "translate", command, say=translate.say
    ) == 2  # fmt: skip
    assert "is not the folder of a finished translate run" in capsys.readouterr().err


# ---------------------------------------------------------------- options and texts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("atention",)}, "--models has 'atention'"),
        ({"letters": 2}, "--letters is 2"),
        ({"dropout": 1.0}, "--dropout is 1.0"),
        ({"states": (1,)}, "--states is 1"),
        ({"data": ()}, "--data is empty"),
        ({"beams": 0}, "--beams is 0"),
    ],
)
def test_options_that_do_not_fit_are_one_line(options, message):
    with pytest.raises(InputError, match=message):
        translate.Config(**options)


def test_parallel_text_of_words_is_scored_as_words(tmp_path):
    """Would catch references that keep what translations cannot have."""
    lines = [f"Der Hund {n}.\tThe dog {n}." for n in range(40)]
    (tmp_path / "a.tsv").write_text("\n".join(lines))
    options = translate.Config(data=(str(tmp_path / "a.tsv"),), lower=True, fewest=1)
    data = translate.load_data(options)
    assert data.facts["unit"] == "word"
    assert data.source.tokenize == "none"
    part = data.source.parts["test"]
    references = data.source.references(part)
    assert references.texts[0].startswith("the dog ")
    assert references.texts[0].endswith(" .")
    copied = translate.find_baselines(options, data)["copy"]("test")
    assert isinstance(copied, Translations)
    assert copied.texts[0].startswith("der hund ")
    assert copied.texts[0].endswith(" .")


def test_every_full_size_model_builds_with_its_own_options():
    hp = keras_tuner.HyperParameters()
    models = translate.find_models(translate.Config(states=(4,), units=8))
    small = models["encoder_decoder_4"](hp, translate.Config(units=8), (9, 7, 5))
    assert small.get_layer("decoder").input[0].shape[1] is None
    assert small.get_layer("encoder").output[2].shape[-1] == 4
