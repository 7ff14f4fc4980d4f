"""The network that draws: step by step it is what it is all at once, and it stops."""

import keras
import numpy as np
import pytest

from rnn_tf.models import drawing, mixture_density
from rnn_tf.models.drawing import Sizes

SIZES = Sizes(classes=3, scale=30.0)
LABELS = np.arange(20) % 3


def network(cell: str = "lstm", told: bool = True, pen=None):
    """A small network with weights by chance, and the pen's logits as `pen`."""
    keras.utils.set_random_seed(1)
    model = drawing.network(SIZES, cell, 8, 0.1, told)
    if pen is not None:
        mixture = model.get_layer("mixture")
        kernel, bias = mixture.get_weights()
        kernel[:, -3:], bias[-3:] = 0, pen
        mixture.set_weights([kernel, bias])
    return model


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_step_by_step_it_is_what_it_is_all_at_once(cell):
    """Would catch a first state that is left out, a scale that is applied twice, or a
    point that is given back in another order.
    """
    model = network(cell, pen=[0, 0, -2])
    drawn = drawing.draw(drawing.artist(model), LABELS, 1.0, 12, 1)
    points = drawn.points
    begin = np.broadcast_to(np.array(drawing.BEGIN, "float32"), (20, 1, 5))
    before = np.concatenate([begin, points[:, :-1]], axis=1)
    outputs = model.predict_on_batch([before, LABELS.astype("int32")])
    uniform, normal = (np.random.default_rng((1, n)) for n in range(2))
    noise = [uniform.random((20, 12, 2)), normal.normal(size=(20, 12, 2))]
    noise = np.concatenate(noise, axis=-1).astype("float32").reshape(-1, 4)
    rows = np.asarray(outputs).reshape(-1, mixture_density.WIDTH)
    again = mixture_density.sample(rows, noise, np.ones((len(rows), 1), "float32"))
    again = keras.ops.convert_to_numpy(again).reshape(20, 12, 5)
    real = np.arange(12) < drawn.lengths[:, None]
    assert real.sum() > 100
    assert points[real][:, 2:] == pytest.approx(again[real][:, 2:])
    assert points[real][:, :2] == pytest.approx(30 * again[real][:, :2], abs=1e-2)


def test_it_stops_when_all_have_ended_and_at_the_limit():
    """Would catch a loop without end, and points after a drawing's end."""
    ends = drawing.draw(drawing.artist(network(pen=[0, 0, 50])), LABELS, 1.0, 9, 1)
    assert (ends.lengths.tolist(), ends.ended.all()) == ([0] * 20, True)
    never = drawing.draw(drawing.artist(network(pen=[0, 0, -50])), LABELS, 1.0, 9, 1)
    assert (never.lengths.tolist(), never.ended.any()) == ([9] * 20, False)
    some = drawing.draw(drawing.artist(network(pen=[0, 0, 0])), LABELS, 1.0, 9, 1)
    assert len(set(some.lengths.tolist())) > 3
    after = np.arange(9) >= some.lengths[:, None]
    assert (some.points[after] == [0, 0, 0, 0, 1]).all()


def test_the_same_seed_gives_the_same_drawings_however_many(monkeypatch):
    """Would catch noise that hangs on batches, or a seed that nobody reads."""
    artist = drawing.artist(network(pen=[0, 0, -2]))
    many = drawing.draw(artist, LABELS, 0.7, 9, 1).points
    few = drawing.draw(artist, LABELS[:5], 0.7, 9, 1).points
    assert few == pytest.approx(many[:5], abs=1e-3)
    assert not np.allclose(drawing.draw(artist, LABELS, 0.7, 9, 2).points, many)
    monkeypatch.setattr(drawing, "BATCH", 16)
    assert drawing.draw(artist, LABELS, 0.7, 9, 1).points == pytest.approx(
        many, abs=1e-3
    )


def test_a_class_matters_only_to_those_who_are_told():
    """Would catch a class that does not reach the first state or the steps."""
    points = np.zeros((2, 4, 5), "float32")
    labels = np.array([0, 2], "int32")
    for told in (True, False):
        first, second = np.asarray(
            network(told=told).predict_on_batch([points, labels])
        )
        assert np.allclose(first, second) != told
