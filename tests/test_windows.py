"""Windows: exact, and blind to the future."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data import splits
from rnn_tf.data.order import Order, shuffled, stacked
from rnn_tf.data.series import daily, periods, windows
from rnn_tf.data.series.layout import Layout
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.windows import Windows
from rnn_tf.errors import InputError
from tests.conftest import make_series


def ramp(days=200, lookback=28, horizon=7):
    """Day i has the value i, so every number says which day it is."""
    series = make_series(np.arange(days))
    return Windows(series, by_share(days), lookback, horizon)


def network_of(days=40, steps=None):
    """A stand-in for a model of so many days, with an output at so many steps."""
    output = (None, 7) if steps is None else (None, steps, 7)
    return SimpleNamespace(input_shape=(None, days, 1), output_shape=output)


def collected(dataset):
    """All batches of a data set as two arrays."""
    parts = [(x.numpy(), y.numpy()) for x, y in dataset]
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


@pytest.mark.parametrize("split", splits.SPLITS)
def test_a_ramp_shows_which_day_is_where(split):
    """Would catch a label that lies a day, or a horizon, too far."""
    cut = ramp()
    x, y = collected(cut.dataset(split, network_of(), 16))
    first = cut.origins[split]
    assert x.shape == (len(first), 40, 1)
    expected = first[:, None] + np.arange(7)
    np.testing.assert_allclose(cut.in_unit(split, y), expected, rtol=1e-5)
    expected = (first[:, None] + np.arange(-40, 0)).astype(float)
    expected[expected < 0] = np.nan
    np.testing.assert_allclose(cut.in_unit(split, x[..., 0]), expected, atol=1e-3)


def test_a_window_is_measured_by_its_own_level():
    """Would catch a level of another window, or of days that it does not see."""
    values = np.random.default_rng(1).normal(100, 20, 400).cumsum()
    cut = Windows(make_series(values), by_share(400), 56, 7)
    for split in splits.SPLITS:
        x, y = collected(cut.dataset(split, network_of(56), 64))
        for row, origin in enumerate(cut.origins[split]):
            level = values[origin - 28 : origin].mean()
            spread = np.abs(values[origin - 56 : origin] - level).mean()
            assert spread > cut.smallest_spread
            ahead = (values[origin : origin + 7] - level) / spread
            np.testing.assert_allclose(y[row], ahead, atol=1e-3)
            past = (values[origin - 56 : origin] - level) / spread
            np.testing.assert_allclose(x[row, :, 0], past, atol=1e-3)
        np.testing.assert_allclose(cut.in_unit(split, y), cut.targets(split), rtol=1e-5)


def test_a_network_sees_no_unit():
    """Would catch what helps where a series is as in training, and nowhere else."""
    values = np.random.default_rng(1).normal(100, 20, 400)
    one, other = (
        Windows(make_series(of), by_share(400), 56, 7)
        for of in (values, values * 1000 + 50_000)
    )
    for split in splits.SPLITS:
        for part, same in zip(
            collected(one.dataset(split, network_of(420), 64)),
            collected(other.dataset(split, network_of(420), 64)),
            strict=True,
        ):
            np.testing.assert_allclose(part, same, atol=1e-4)


@pytest.mark.parametrize(
    ("lookback", "calendar", "days"),
    [
        (90, "daily", (28, 56)),
        (40, "daily", (28, 40)),
        (10, "daily", (10, 10)),
        (60, "business", (20, 40)),
    ],
)
def test_a_short_lookback_tells_the_level_alone(lookback, calendar, days):
    """Would catch a saved model that needs more days than it takes."""
    series = dataclasses.replace(ramp().series, calendar=calendar)
    assert Windows(series, by_share(200), lookback, 5).level_days == days


def test_a_year_of_inputs_lies_before_the_lookback():
    """Would catch a year that costs windows, or known days before the first."""
    values = np.random.default_rng(1).normal(100, 20, 800)
    cut = Windows(make_series(values), by_share(800), 56, 7)
    history = 56 + 364
    x, y = collected(cut.dataset("train", network_of(history), 64))
    short, same = collected(cut.dataset("train", network_of(56), 64))
    assert len(x) == len(cut.origins["train"]) == 560 - 56 - 6
    np.testing.assert_array_equal(x[:, -56:], short)
    np.testing.assert_array_equal(y, same)
    unknown = np.isnan(x[..., 0]).sum(axis=1)
    assert unknown.tolist() == np.maximum(history - cut.origins["train"], 0).tolist()
    last = cut.in_unit("train", x[..., 0])[-1]
    np.testing.assert_allclose(last, values[554 - 1 - history : 553], rtol=1e-5)


def test_parts_share_no_target_and_lie_in_order():
    cut = ramp()
    days = {s: set(cut.targets(s).ravel().astype(int)) for s in splits.SPLITS}
    assert max(days["train"]) < min(days["validation"])
    assert max(days["validation"]) < min(days["test"])
    assert days["test"] == set(range(160, 200))
    assert days["validation"] == set(range(140, 160))


def test_a_target_at_every_step_is_what_follows_that_step():
    cut = ramp()
    _, y = collected(cut.dataset("train", network_of(steps=28), 16))
    at = cut.origins["train"][:, None, None] + np.arange(-27, 1)[:, None] + np.arange(7)
    level, spread = cut.levels[cut.origins["train"]].T[..., None, None]
    np.testing.assert_allclose(y * spread + level, at, rtol=1e-5)


def test_shuffling_is_seeded_and_loses_at_most_a_part_of_a_batch():
    values = np.random.default_rng(1).normal(size=200)
    cut = Windows(make_series(values), by_share(200), 28, 7)
    once, again, other = (
        collected(cut.dataset("train", network_of(), 16, Order(seed)))[1]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert len(once) == len(cut.origins["train"]) // 16 * 16
    assert len(np.unique(once[:, 0])) == len(once)


def test_each_epoch_is_shuffled_anew():
    """Would catch an order that hangs on how often the data set was gone through."""
    order = Order(1)
    values = np.random.default_rng(1).normal(size=200)
    cut = Windows(make_series(values), by_share(200), 28, 7)
    dataset = cut.dataset("train", network_of(), 16, order)
    first, same = collected(dataset)[1], collected(dataset)[1]
    order.begin(1)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, collected(dataset)[1])
    again = cut.dataset("train", network_of(), 16, Order(1, 1))
    assert np.array_equal(collected(dataset)[1], collected(again)[1])


def test_an_epoch_has_as_many_steps_as_are_asked_for():
    """Would catch a short series that is hardly trained, or a long one for hours."""
    for steps in (3, 20):
        for shuffle in (shuffled, stacked):
            dataset = ramp().dataset(
                "train", network_of(), 16, Order(1), shuffle, steps
            )
            batches = dataset if shuffle is shuffled else dataset.unbatch().take(steps)
            assert len(collected(batches)[1]) == steps * 16
    whole = ramp().dataset("validation", network_of(), 16, steps=20)
    assert len(collected(whole)[1]) == 14  # what is not shuffled is gone through once


def test_nothing_tunes_the_pipeline():
    """Would catch tf.data's thread, for which a fit waited 0.2 s in the end."""
    for dataset in (
        ramp().dataset("train", network_of(), 16, Order(1)),
        ramp().dataset("train", network_of(), 16, Order(1), stacked),
        ramp().dataset("validation", network_of(), 16),
    ):
        assert dataset.options().autotune.enabled is False


def test_changing_the_last_30_percent_moves_nothing_in_training():
    """Would catch a scaler, or a window, that sees validation or test."""
    cut = ramp()
    values = cut.series.values.copy()
    values[140:] = values[140:] * 3 + 1000
    changed = dataclasses.replace(
        cut, series=dataclasses.replace(cut.series, values=values)
    )
    assert changed.scale == cut.scale
    assert changed.smallest_spread == cut.smallest_spread
    for before, after in zip(
        collected(cut.dataset("train", network_of(), 8, Order(1))),
        collected(changed.dataset("train", network_of(), 8, Order(1))),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)
    assert not np.array_equal(cut.targets("validation"), changed.targets("validation"))


def test_days_before_training_are_unknown():
    """Would catch a model that reads 2015 though it trains from 2016 on."""
    parts = periods.Periods((50, 140), (140, 160), (160, 200))
    cut = Windows(make_series(np.arange(1.0, 201)), parts, 28, 7)
    x, _ = collected(cut.dataset("train", network_of(60), 200))
    oldest = np.nanmin(cut.in_unit("train", x[..., 0]))
    assert oldest == pytest.approx(51, rel=1e-4)
    assert cut.origins["train"][0] == 78


def test_a_filled_day_is_no_target_outside_training():
    plain = ramp()
    filled = np.zeros(200, bool)
    filled[[100, 150, 180]] = True
    made = dataclasses.replace(plain.series, filled=filled)
    cut = dataclasses.replace(plain, series=made)
    assert len(cut.origins["train"]) == len(plain.origins["train"])
    for split, day in (("validation", 150), ("test", 180)):
        assert day not in cut.targets(split)
        assert len(cut.origins[split]) == len(plain.origins[split]) - 7


@pytest.mark.parametrize(
    ("count", "size"),
    [(1034, 32), (4127, 32), (4128, 64), (6512, 64), (31, 16), (1, 1)],
)
def test_the_batch_grows_and_shrinks_with_the_series(count, size):
    assert windows.batch_size(count) == size


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full(200, 5.0), "is constant"),
        (np.tile(np.arange(7.0), 30), "repeats every 7 days"),
    ],
)
def test_a_series_without_anything_to_learn_is_refused(values, said):
    with pytest.raises(InputError, match=f"{said}.*MASE is undefined"):
        Windows(make_series(values), by_share(len(values)), 28, 7)


FILLS = "seasonal last linear".split()


def written(values) -> str:
    """A file of the values, one a day; NaN is an empty cell."""
    cells = ["" if np.isnan(value) else repr(value) for value in values.tolist()]
    days = np.datetime64("2020-01-01") + np.arange(len(cells))
    rows = [f"{day},{cell}" for day, cell in zip(days, cells, strict=True)]
    return "\n".join(["date,value", *rows])


def cut_file(path, fill, horizon=2):
    made = daily.read(path, Layout(fill=fill))
    return Windows(made, by_share(len(made.values)), 14, horizon)


@settings(max_examples=60)
@given(
    gaps=st.sets(st.integers(8, 117), max_size=40),
    fill=st.sampled_from(FILLS),
    seed=st.integers(0, 9),
    chance=st.randoms(use_true_random=False),
)
def test_no_day_from_the_origin_on_changes_what_a_window_sees(
    csv_file, gaps, fill, seed, chance
):
    """Property: would catch a fill that draws the days before towards the target."""
    random = np.random.default_rng(seed)
    values = random.normal(100, 20, 120)
    values[list(gaps)] = np.nan
    try:
        before = cut_file(csv_file(written(values)), fill)
    except InputError as refused:
        assert "too many gaps" in str(refused)
        return
    for split in splits.SPLITS:
        origin = int(chance.choice(list(before.origins[split])))
        changed = np.where(np.arange(120) < origin, values, values * 3 + 7)
        after = daily.read(csv_file(written(changed)), Layout(fill=fill))
        assert (after.values[:origin] == before.series.values[:origin]).all()
    changed = np.where(np.arange(120) < 84, values, values * 3 + 7)
    after = cut_file(csv_file(written(changed)), fill)
    assert after.scale == before.scale
    assert (after.training() == before.training()).all()


def test_linear_fill_leaves_out_what_would_see_its_target(csv_file):
    """Would catch a last value that errs by a third of what it really does."""
    values = np.arange(120.0) ** 2
    values[[30, 60, 61, 90, 91, 110]] = np.nan
    path = csv_file(written(values))
    linear, last = cut_file(path, "linear"), cut_file(path, "last")
    assert set(last.origins["train"]) - set(linear.origins["train"]) == {31, 61, 62}
    assert set(last.origins["validation"]) - set(linear.origins["validation"]) == {92}
    assert set(last.origins["test"]) - set(linear.origins["test"]) == {111}
    assert linear.facts()["notes"] == [
        "filled 6 missing days (linear)",
        "left out 6 windows after a filled day, which linear filling draws towards the "
        "days ahead",
    ]
    assert last.facts()["notes"] == ["filled 6 missing days (last)"]


def business(days=520, values=None):
    """A series of trading days that begins on a Monday."""
    random = np.random.default_rng(1)
    dates = np.busday_offset("2018-01-01", np.arange(days))
    made = make_series(random.normal(size=days) if values is None else values)
    return dataclasses.replace(made, dates=dates, calendar="business")


def test_windows_of_trading_days_count_trading_days():
    """Would catch a week of seven where the series has five days a week."""
    made = business()
    assert (made.week, made.year) == (5, 260)
    cut = Windows(made, by_share(520), 40, 5)
    assert (np.is_busday(cut.dates("test"))).all()
    assert cut.targets("test").shape == (100, 5)
    with pytest.raises(InputError, match="repeats every 5 trading days"):
        Windows(business(values=np.tile(np.arange(5), 104)), cut.periods, 40, 5)
    with pytest.raises(InputError, match=r"a series needs 64 trading days .* has 63"):
        Windows(business(63), by_share(63), 40, 5)


def test_a_gap_at_the_end_of_training_ends_it_before(csv_file):
    """Would catch a scale, and a MASE, that the first day of validation moves."""
    values = np.arange(120.0) ** 2
    values[[82, 83, 84]] = np.nan
    path = csv_file(written(values))
    assert cut_file(path, "linear").periods.train == (0, 82)
    assert cut_file(path, "last").periods.train == (0, 84)


def test_a_part_without_a_sound_window_is_not_called_too_short():
    """Would catch "needs 90 days" said of a series of 1,518."""
    days = np.arange(1_518)
    values = np.random.default_rng(1).normal(size=1_518)
    made = make_series(values)
    made = dataclasses.replace(made, filled=days % 7 == 3, fill="last")
    expected = r"too many gaps: in its validation part .*\(217 of 1518 were\); give it"
    with pytest.raises(InputError, match=expected):
        Windows(made, by_share(1_518), 28, 7)
    made = dataclasses.replace(made, filled=~np.is_busday(made.dates))
    with pytest.raises(InputError, match="no weekends: choose --calendar business"):
        Windows(made, by_share(1_518), 28, 7)


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_targets_at_every_step_are_none_of_the_block(fold):
    """Would catch a seq-to-seq network that trains on what it is chosen by."""
    cut = Windows(make_series(np.arange(400.0) ** 1.1), by_share(400, 3), 28, 7)
    cut = cut.of_fold(fold)
    begin, end = cut.periods.block(fold)
    last_days = cut.seen("train", 1)
    assert np.array_equal(last_days, cut.origins["train"])
    origins = cut.seen("train", 28)
    targets = origins[:, None] + np.arange(-27, 7)
    assert not ((begin <= targets) & (targets < end)).any()
    assert len(last_days) - len(origins) == (27 if fold else 0)
    x, _ = collected(cut.dataset("train", network_of(28, steps=28), 16))
    assert len(x) == len(origins)
    assert np.array_equal(cut.seen("validation", 28), cut.origins["validation"])
