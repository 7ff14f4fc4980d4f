"""Folds: each holds one block of validation out and trains on all else before test."""

import dataclasses

import numpy as np
import pytest

from experiments import forecast
from rnn_tf.data.order import Order
from rnn_tf.data.series.periods import Periods, by_share
from rnn_tf.data.series.windows import Windows
from tests.conftest import make_series
from tests.test_windows import collected, network_of

DAYS = 400


def cut_series(blocks: int, values=None, **changes) -> Windows:
    if values is None:
        values = np.random.default_rng(1).normal(100, 20, DAYS)
    series = dataclasses.replace(make_series(values), **changes)
    return Windows(series, by_share(len(values), blocks), 56, 7)


def target_days(cut: Windows, origins) -> set[int]:
    return set((origins[:, None] + np.arange(cut.horizon)).ravel().tolist())


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_fold_trains_on_no_target_of_its_block_or_of_test(blocks):
    """Would catch validation of a network that was trained on it."""
    cut = cut_series(blocks)
    for fold in range(blocks):
        one = cut.of_fold(fold)
        block = set(range(*cut.periods.block(fold)))
        learned = target_days(one, one.origins["train"])
        assert target_days(one, one.origins["validation"]) == block
        assert not learned & block
        assert not learned & set(range(*cut.periods.test))
        assert one.origins["test"].tolist() == cut.origins["test"].tolist()


@pytest.mark.parametrize("blocks", [2, 3])
def test_a_fold_trains_on_all_else(blocks):
    """Would catch folds that throw the days after their block away."""
    cut = cut_series(blocks)
    for fold in range(blocks):
        one = cut.of_fold(fold)
        block = set(range(*cut.periods.block(fold)))
        every = set(range(56, cut.periods.test[0]))
        assert target_days(one, one.origins["train"]) == every - block
        assert len(np.unique(one.origins["train"])) == len(one.origins["train"])


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_validation_of_all_is_that_of_the_folds_oldest_first(blocks):
    """Would catch an ensemble whose forecasts stand beside another day's targets."""
    cut = cut_series(blocks)
    folds = cut.folds()
    assert [one.fold for one in folds] == list(range(blocks))[::-1]
    joined = np.concatenate([one.origins["validation"] for one in folds])
    assert joined.tolist() == cut.origins["validation"].tolist()
    assert (np.diff(joined) > 0).all()
    targets = np.concatenate([one.targets("validation") for one in folds])
    assert np.array_equal(targets, cut.targets("validation"))


def test_of_all_folds_training_ends_where_validation_begins():
    cut = cut_series(3)
    assert max(target_days(cut, cut.origins["train"])) == cut.periods.validation[0] - 1


def test_all_folds_together_learn_all_before_test():
    """Would catch a baseline of test that is fitted on less than the networks are."""
    cut = cut_series(3)
    assert cut.learned().tolist() == list(range(56, 320 - 6))
    assert target_days(cut, cut_series(2).learned()) == set(range(56, 320))
    one = cut_series(1)
    assert one.learned().tolist() == one.origins["train"].tolist()
    assert one.learned()[-1] + 7 == one.periods.validation[0] == 280


def test_the_unit_of_all_folds_is_that_of_training():
    """Would catch folds that measure MASE, or a spread, each in its own way."""
    cut = cut_series(3)
    for one in cut.folds():
        assert one.scale == cut.scale
        assert np.array_equal(one.levels, cut.levels)
        assert np.array_equal(one.training(), cut.training())


def test_test_changes_nothing_that_a_fold_trains_on():
    """Would catch a level, or a window, of a fold that sees test."""
    values = np.random.default_rng(1).normal(100, 20, DAYS)
    other = values.copy()
    other[320:] = other[320:] * 3 + 1000
    for before, after in zip(
        cut_series(3, values).folds(), cut_series(3, other).folds(), strict=True
    ):
        for split, order in (("train", Order(1)), ("validation", None)):
            for one, same in zip(
                collected(before.dataset(split, network_of(420), 8, order)),
                collected(after.dataset(split, network_of(420), 8, order)),
                strict=True,
            ):
                np.testing.assert_array_equal(one, same)


def test_a_linear_gap_that_its_block_or_test_ends_is_not_trained_on():
    """Would catch targets that were drawn by the first day of what is held out."""
    begin, end = 240, 280  # of the middle block
    filled = np.zeros(DAYS, bool)
    filled[[237, 238, 239, 318, 319, 100]] = True
    cut = cut_series(3, filled=filled, fill="linear").of_fold(1)
    assert cut.periods.block(1) == (begin, end)
    learned = target_days(cut, cut.origins["train"])
    assert not learned & {237, 238, 239, *range(begin, end), 318, 319}
    assert {236, 100, 280, 317} <= learned
    last = cut_series(3, filled=filled, fill="last").of_fold(1)
    assert {237, 239, 318, 319} <= target_days(last, last.origins["train"])


def test_days_before_training_are_in_no_fold():
    parts = Periods((50, 200), (200, 320), (320, 400), blocks=3)
    series = make_series(np.random.default_rng(1).normal(100, 20, DAYS))
    for one in Windows(series, parts, 56, 7).folds():
        assert one.origins["train"][0] == 50 + 56
        x, _ = collected(one.dataset("train", network_of(420), 500))
        assert np.isnan(x[0, : 420 - 56]).all()


# ---------------------------------------------------------------- as data


@pytest.mark.parametrize(("seeds", "folds"), [(1, 1), (2, 2), (3, 3), (7, 3)])
def test_seeds_take_turns_in_holding_a_block_out(seeds, folds):
    """Would catch folds that no seed validates."""
    data = forecast.load_data(forecast.Config(seeds=seeds))
    assert data.folds == folds
    assert {data.fold(seed) for seed in range(1, seeds + 1)} == set(range(folds))
    assert data.fold(1) == data.fold(1 + folds) == 0
    for seed in range(1, seeds + 1):
        seen = data.seen_by(seed)
        assert seen.source.fold == data.fold(seed)
        assert seen.batch_size == data.batch_size
    assert data.seen_by("") is data


def test_what_is_joined_is_in_the_order_of_validation():
    """Would catch an ensemble whose blocks are joined newest first."""
    data = forecast.load_data(forecast.Config(seeds=3))
    parts = [data.seen_by(seed).source.targets("validation") for seed in (1, 2, 3)]
    assert np.array_equal(data.join(parts), data.source.targets("validation"))


def test_a_short_series_has_one_fold(csv_file):
    random = np.random.default_rng(1)
    days = np.datetime64("2020-01-01") + np.arange(150)
    rows = [
        f"{day},{value}" for day, value in zip(days, random.random(150), strict=True)
    ]
    path = csv_file("\n".join(["date,value", *rows]))
    data = forecast.load_data(forecast.Config(data=str(path), seeds=5))
    assert data.folds == 1
    seen = data.seen_by(4).source.origins
    assert all((seen[k] == v).all() for k, v in data.source.origins.items())
