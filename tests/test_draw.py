"""`make draw`: which networks the page gets, what ships, what is refused."""

import base64
import hashlib
import json
import re

import keras
import numpy as np
import pytest

from experiments import draw
from rnn_tf.errors import InputError
from rnn_tf.report import drawing_networks, drawing_page, templates
from rnn_tf.report.drawing_networks import Network
from tests.conftest import run_python
from tests.drawing_runs import (
    NAMES,
    SCALE,
    classifier,
    classifier_run,
    generator,
    generator_run,
    write_run,
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        "classifier": classifier_run(folder / "sketch", "conv_bilstm"),
        "generator": generator_run(folder / "generate"),
    }


def test_the_page_of_the_shipped_networks_is_there_without_tensorflow(tmp_path):
    """Would catch a `make draw` that waits for TensorFlow, or needs a run."""
    code = (
        "import sys; from experiments import draw; from pathlib import Path; "
        f"draw.main(results=Path({str(tmp_path)!r})); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "draw.html").read_text()
    assert 0.5e6 < len(page) < 4.2e6  # 3 MB, and a third more as base64
    assert "CC BY 4.0" in page
    assert done.stdout.startswith(str(tmp_path / "draw.html"))


def test_the_policy_names_the_script_and_the_style_of_the_page(tmp_path):
    """Would catch a page that its own policy stops, or lets everything in."""
    draw.main(results=tmp_path)
    page = (tmp_path / "draw.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    for tag, text in (("script", r"<script>(.*?)</script>"), ("style", None)):
        inside = re.search(text or r"<style>(.*?)</style>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r"""(src|href)=(?!["']?data:)""", page.split("</style>")[0])


def test_the_networks_that_ship_are_small_and_say_where_they_are_from():
    """Would catch weights that nobody can make again."""
    folder = drawing_networks.SHIPPED
    sizes = [(folder / f"{kind}.npz").stat().st_size for kind in draw.KINDS]
    assert sum(sizes) < drawing_networks.LIMIT
    networks = {
        kind: drawing_networks.read(folder / f"{kind}.npz", kind) for kind in draw.KINDS
    }
    packed = {k: (folder / f"{k}.npz").read_bytes() for k in draw.KINDS}
    text = (folder / "README.md").read_text()
    assert text == drawing_networks.readme(networks, packed)
    assert "CC BY 4.0" in text
    for network in networks.values():
        assert len(network.about["classes"]) == 20
        assert network.about["origin"]["command"] in text


def test_a_network_is_read_layer_by_layer(runs):
    network = draw.from_run("classifier", runs["classifier"])
    about = network.about
    assert about["classes"] == list(NAMES)
    assert about["scale"] == SCALE
    (layers,) = about["members"]
    kinds = [layer["type"] for layer in layers]
    convolutions = ["convolution", "normalisation"] * 3
    assert kinds == [*convolutions, "recurrent", "recurrent", "output"]
    assert [layer.get("stride") for layer in layers[:6:2]] == [1, 2, 2]
    assert all(layer["backward"] for layer in layers[6:8])
    model = keras.saving.load_model(runs["classifier"] / "made.keras")
    assert sum(a.size for a in network.tensors.values()) == model.count_params()
    assert about["origin"]["scores"] == [{"metric": "error", "value": 1.5, "unit": "%"}]


def test_the_temperature_at_which_a_run_draws_best_is_where_the_page_begins(runs):
    rows = [
        "model,seed,temperature,chosen,recognised,recognised_by_other,ended",
        "made,1,0.3,1,80,70,90",
        "made,2,0.3,1,90,80,100",
        "made,1,0.9,0,1,1,1",
        "other,1,0.5,1,1,1,1",
    ]
    (runs["generator"] / "drawn.csv").write_text("\n".join(rows) + "\n")
    network = draw.from_run("generator", runs["generator"])
    assert network.about["temperature"] == 0.3
    scores = drawing_networks.scores(network.about["origin"])
    assert "recognised at temperature 0.3 85 %" in scores
    assert network.about["scale"] == pytest.approx(SCALE, rel=1e-6)


def test_packed_networks_are_read_as_they_were(runs, tmp_path, monkeypatch):
    """Would catch a file that loses an order, a shape or where it comes from."""
    monkeypatch.setattr(drawing_networks, "SHIPPED", tmp_path)
    draw.main(**runs, results=tmp_path)
    assert not (tmp_path / "README.md").exists()
    networks = {kind: draw.from_run(kind, run) for kind, run in runs.items()}
    drawing_networks.ship(networks, tmp_path)
    for kind, network in networks.items():
        again = drawing_networks.read(tmp_path / f"{kind}.npz", kind)
        assert again.about == network.about
        assert list(again.tensors) == list(network.tensors)
        for name, array in network.tensors.items():
            np.testing.assert_array_equal(again.tensors[name], array)
    assert "abcdef0" in (tmp_path / "README.md").read_text()


def test_pack_ships_a_network_beside_the_other_and_names_who_drew(
    runs, tmp_path, monkeypatch
):
    shipped = [draw._network(kind, None) for kind in draw.KINDS]
    monkeypatch.setattr(drawing_networks, "SHIPPED", tmp_path)
    networks = dict(zip(draw.KINDS, shipped, strict=True))
    monkeypatch.setattr(drawing_networks.ship, "__defaults__", (tmp_path,))
    drawing_networks.ship(networks)
    draw.main(model=runs["generator"], pack=True, results=tmp_path)
    read = {k: drawing_networks.read(tmp_path / f"{k}.npz", k) for k in draw.KINDS}
    assert read["generator"].about["classes"] == list(NAMES)
    assert "CC BY 4.0" in read["generator"].about["origin"]["credit"]
    assert read["classifier"].about == shipped[0].about


def test_too_large_a_network_does_not_ship(runs, tmp_path):
    network = draw.from_run("generator", runs["generator"])
    random = np.random.default_rng(1)
    noise = {"noise": random.normal(size=2_000_000).astype("float16")}
    with pytest.raises(InputError, match="at most 3,000,000 ship"):
        drawing_networks.ship({"generator": Network(network.about, noise)}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_that_16_bits_cannot_hold_are_named(tmp_path):
    model = generator()
    weights = model.get_weights()
    weights[-1][3] = 1e6
    model.set_weights(weights)
    run = write_run(tmp_path / "generate", "generate", model)
    with pytest.raises(InputError, match="beyond 65,504 .* in mixture.bias"):
        draw.from_run("generator", run)


OTHERS = {
    "answer": ("classifier", lambda: classifier("answer"), "layers are Conv1D, LSTM"),
    "textbook": ("classifier", lambda: classifier("textbook"), "BatchNormalization"),
    "gru": ("generator", lambda: generator(layer="GRU"), "has no begin_cell"),
    "untold": ("generator", lambda: generator(classes=1), "is not told the class"),
    "classifier": ("generator", lambda: classifier("conv_lstm"), "has no embedding"),
    "generator": ("classifier", generator, "it has no members"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_network_that_the_page_cannot_run_is_one_line(name, tmp_path):
    """Would catch a page that guesses by weights it takes for others."""
    kind, build, message = OTHERS[name]
    experiment = draw.EXPERIMENTS[kind]
    run = write_run(tmp_path / "run", experiment, build(), padding={"scale": SCALE})
    with pytest.raises(InputError, match=message) as error:
        draw.main(**{kind: run}, results=tmp_path / "results")
    assert "\n" not in str(error.value)
    assert "take a run with" in str(error.value)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("options", "message"), [
    (["--pack"], "--pack has no run"),
    (["--classifier", "none"], "none is not the folder of a finished sketch run"),
    (["--generator", "none"], "none is not the folder of a finished generate run"),
    (["--model", "none"], "none is not the folder of a finished run of sketch or"),
    (["--modl", "none"], "Unrecognized options"),
])  # fmt: skip
def test_bad_options_are_one_line_and_nothing_is_written(tmp_path, options, message):
    folder = tmp_path / "results"
    done = run_python("-m", "experiments.draw", *options, "--results", folder)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) == 1
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["cut", "other", "text", "pickle"])
def test_a_damaged_file_of_weights_is_one_line(damage, tmp_path):
    """Would catch a pickle that runs, and a page of half a network."""
    whole = (drawing_networks.SHIPPED / "classifier.npz").read_bytes()
    path = tmp_path / "classifier.npz"
    path.write_bytes({"cut": whole[:9_000], "text": b"no network"}.get(damage, whole))
    if damage == "pickle":
        about = np.array(json.dumps({"kind": "classifier"}))
        np.savez(path, about=about, x=np.array([{}], object))
    kind = "generator" if damage == "other" else "classifier"
    with pytest.raises(InputError, match=f"is no {kind} of the page") as error:
        drawing_networks.read(path, kind)
    assert "\n" not in str(error.value)


def test_what_the_page_is_told_cannot_close_its_element():
    about = {"classes": ["</script><!--"], "origin": {}}
    text = Network(about, {"x": np.zeros((1, 2), "float16")}).page_json()
    assert "<" not in text
    assert json.loads(text) == about | {"tensors": [["x", [1, 2]]]}


def test_the_numbers_of_the_page_are_little_endian_halves():
    """Would catch numbers that a page reads the other way round."""
    halves = {"a": np.array([1.0], "f2"), "b": np.array([-2.5], ">f2")}
    network = Network({}, halves)
    assert base64.b64decode(network.page_numbers()).hex() == "003c00c1"


def test_the_scripts_of_the_page_can_be_written_into_it():
    for name in drawing_page.STYLES + drawing_page.SCRIPTS:
        text = templates.read([name])
        assert "</" not in text, name
        assert "\r" not in text, name
