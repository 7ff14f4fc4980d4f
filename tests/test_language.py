"""The language experiment from end to end, and what its command `say` says."""

import csv
import json
import math

import keras
import keras_tuner
import numpy as np
import pytest

from experiments import language
from rnn_tf import config
from rnn_tf.data.splits import Network
from rnn_tf.data.text import batches, streams
from rnn_tf.errors import InputError
from rnn_tf.models import carried_state
from rnn_tf.studies import context, language_models, small_languages
from rnn_tf.studies.language_models import NetworkReader

pytestmark = pytest.mark.usefixtures("quick_scores")

TINY = {
    "sentences": 600,
    "models": ("gru", "window_mlp", "conv", "gru_8_reset"),
    "sizes": (2_000,),
    "units": 8,
    "batch_size": 4,
    "chunk": 16,
    "orders": 3,
    "spoken": 12,
    "epochs": 2,
    "seeds": 2,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return language.run(language.Config(results=folder, **TINY))


def rows(path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_tables_and_pictures(done):
    info = json.loads((done.folder / "config.json").read_text())
    left = {path.name for path in done.folder.iterdir()}
    tables = (
        "history metrics trials ngrams reach outputs mixture speech agreement surprise "
        "context calibration embeddings embedding_map"
    )
    assert left == {
        *(f"{name}.csv" for name in tables.split()),
        *("learning_curves.png", "orders.png", "agreement.png"),
        *("sizes.png", "surprise.png", "context.png", "embedding_map.png"),
        *("config.json", "samples.md", f"{info['chosen']}.keras"),
    }
    assert info["data"]["unit"] == "word"
    assert info["data"]["vocabulary"][0] == ""
    assert 0.4 < info["data"]["entropy"] < 0.6


def test_every_model_is_scored_on_the_same_tokens(done):
    metrics = done.tables["metrics"]
    test = metrics[(metrics["split"] == "test") & (metrics["metric"] == "perplexity")]
    baselines = {"uniform", "ngram_1", "ngram_2", "ngram_3", "ngrams_of_2000"}
    assert baselines | {*TINY["models"], "gru_of_2000"} <= set(test["model"])
    assert test["n"].nunique() == 1
    uniform = test[test["model"] == "uniform"]["value"].item()
    assert uniform == pytest.approx(len(done.data.source.corpus.vocabulary))


def test_the_score_while_training_is_the_score_of_the_table(done):
    """Would catch a warm-up that counts, and states that are not reset."""
    history, metrics = done.tables["history"], done.tables["metrics"]
    per_token = metrics[metrics["metric"] == "perplexity"]
    for model in ("gru", "window_mlp", "gru_8_reset"):
        best = history[(history["model"] == model) & (history["seed"] == 1)]
        own = per_token[(per_token["model"] == model) & (per_token["seed"] == 1)]
        own = own[own["split"] == "validation"]["value"].item()
        assert best["score"].min() == pytest.approx(math.log(own), rel=1e-4)


def test_streams_score_a_part_as_one_pass_does(done):
    """Would catch streams that begin without what was said before."""
    network, part = done.members["gru"](), done.data.source.parts["test"]
    ours = language.predict(network, done.data, "test")
    tokens = np.asarray(part.tokens).astype("int32")
    inputs = keras.Input((None,), dtype="int32")
    whole = keras.Model(
        inputs, carried_state.copy(network.model, inputs, stateful=False)
    )
    logits = whole.predict_on_batch(np.concatenate([[0], tokens[:-1]])[None])[0]
    p = language_models.softmax(logits)[np.arange(len(tokens)), tokens]
    assert ours == pytest.approx(p, abs=1e-4)


@pytest.mark.parametrize("name", ["window_mlp", "conv"])
def test_a_network_without_a_state_sees_its_context_across_chunks(done, name):
    """Would catch a chunk whose first tokens are guessed without those before."""
    network, part = done.members[name](), done.data.source.parts["test"]
    context = batches.size_of(network.model).context
    read = NetworkReader(name, 1, network.model, context).after
    ours = language.predict(network, done.data, "test")
    for place in (0, 15, 16, 17, 650):
        before = part.read(np.array([place - context - 1]), context + 1)
        expected = read(before)[0, part.tokens[place]]
        assert ours[place] == pytest.approx(expected, abs=1e-6)


def test_an_ngram_cannot_see_further_than_its_order(done):
    grams = [row for row in rows(done.folder / "reach.csv") if row["order"]]
    assert len(grams) == 3 * context.FURTHEST
    for row in grams:
        seen = int(row["back"]) < int(row["order"])
        assert (float(row["changed"]) > 0) == seen


def test_a_model_of_little_text_learns_from_the_last_of_it(done):
    train = done.data.source.parts["train"]
    part, passes = batches.training(train, "gru_of_2000")
    assert (part.tokens == train.tokens[-2_000:]).all()
    assert passes == math.ceil(len(train.tokens) / 2_000)
    assert batches.training(train, "gru")[1] == 1


def test_numbers_of_an_epoch_are_the_same_whatever_the_chunk(done):
    """Would catch a model that learns from less text than its rivals."""
    config_, source = language.Config(**TINY), done.data.source
    counts = {}
    for name in ("gru", "gru_8_reset", "window_mlp"):
        model = language.MODELS[name](
            keras_tuner.HyperParameters(), config_, done.data.sizes
        )
        size = batches.size_of(Network(name, model).model)
        counts[name] = streams.steps(source.parts["train"], size) * size.chunk
    assert max(counts.values()) - min(counts.values()) <= 16


def test_the_saved_model_takes_any_length_and_gives_the_mean(done):
    model = done.model
    p = model.predict_on_batch(np.zeros((2, 50), "int32"))
    assert p.shape[::2] == (2, done.data.sizes)
    assert p.sum(axis=-1) == pytest.approx(1, abs=1e-5)


# ---------------------------------------------------------------- say


def say(done, *arguments) -> int:
    command = ["say", "--model", str(done.folder), *arguments]
    return config.main(
        language.run, language.Config, language.FULL, "language", command,
        say=language.say,
    )  # fmt: skip


def test_a_model_speaks_the_same_by_the_same_seed(done, capsys):
    said = []
    for seed in (1, 1, 2):
        assert say(done, "--prompt", "the", "--length", "9", "--seed", str(seed)) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    assert said[0].startswith("the")


def test_speech_ends_at_the_text_it_is_told_to_stop_at(done, capsys):
    assert say(done, "--length", "200", "--top-k", "3", "--stop", " the") == 0
    assert capsys.readouterr().out.rstrip().endswith(" the")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prompt", "the xylophone"), "' xylophone', which the model has never seen"),
        (("--temperature", "-1"), "--temperature is -1"),
        (("--temperature", "nan"), "--temperature is nan"),
        (("--top-p", "0"), "--top-p is 0"),
        (("--top-k", "0"), "--top-k is 0"),
        (("--length", "0"), "--length is 0"),
    ],
)
def test_what_cannot_be_said_ends_in_one_line(done, capsys, arguments, message):
    assert say(done, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_without_a_model_ends_in_one_line(tmp_path, capsys):
    command = ["say", "--model", str(tmp_path)]
    assert config.main(
        language.run, language.Config, {}, "language", command, say=language.say
    ) == 2  # fmt: skip
    assert "is not the folder of a finished language run" in capsys.readouterr().err


# ---------------------------------------------------------------- options and texts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": (80, 10, 20)}, "--split is 80 10 20; give percent"),
        ({"split": (100,)}, "--split is 100; give percent"),
        ({"models": ("gur",)}, "--models has 'gur'"),
        ({"chunk": 1}, "--chunk is 1"),
        ({"strategy": "mirrored"}, "carried from batch to batch on one device"),
        ({"sizes": (10,)}, "--sizes is 10"),
        ({"dropout": 1.0}, "--dropout is 1.0"),
    ],
)
def test_options_that_do_not_fit_are_one_line(options, message):
    with pytest.raises(InputError, match=message):
        language.Config(**options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a" * 9_000, "has one character, 'a', again and again"),
        ("The cat. " * 10, "characters for training, and 16 streams of a chunk of 32"),
        ("The cat. " * 200, "characters for validation; to score takes 2,000"),
    ],
)
def test_a_text_that_cannot_be_used_is_one_line(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr("rnn_tf.data.download.cache", lambda: tmp_path / "cache")
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        language.load_data(language.Config(data=str(path)))
    assert "\n" not in str(error.value)


def test_a_text_by_character_says_what_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr("rnn_tf.data.download.cache", lambda: tmp_path / "cache")
    path = tmp_path / "a.txt"
    path.write_text("The cat sat. " * 2_000 + "ÄÖÜ")
    data = language.load_data(language.Config(data=str(path)))
    assert data.facts["unit"] == "character"
    assert data.facts["unknown"] == {"train": 0, "validation": 0, "test": 3}
    assert "unknown: 3, of them 3 in test" in data.facts["says"]
    assert data.sizes == len(set("The cat sat. ")) + 1


# ---------------------------------------------------------------- tiny tasks


def test_hello_takes_a_state():
    table = small_languages.hello_rows(seeds=1)
    right = {row["model"]: row["right"] for row in table}
    assert right == {"rnn": 4, "letter": 3, "bigram": 3}


def test_a_bank_takes_a_neighbour():
    table = small_languages.bank_rows(seeds=1, phrases=600, epochs=8)
    errors = {row["model"]: row["error"] for row in table}
    assert errors["window"] < 10 and errors["rnn"] < 10
    assert errors["word"] > 40


def test_a_mixture_is_as_good_as_its_better_half_on_validation():
    """By hand: 1/2 and 1/8 on two tokens, and the other way round: mixed in halves."""
    network, grams = np.array([0.5, 0.125] * 4), np.array([0.125, 0.5] * 4)
    predictions = {"validation": (network, grams), "test": (network, grams)}

    def score(split, p):
        return language.language.scores(p, np.array([2, 4, 6, 8]))

    validation, _ = language_models.mixture_rows(("a", "b"), predictions, score, 1)
    assert validation["weight"] == pytest.approx(0.5)
    assert validation["network_bits"] == validation["ngram_bits"] == 2
    assert validation["bits"] == pytest.approx(-math.log2(0.3125))
