"""Made-up data: reproducible, and with the structure it promises."""

import numpy as np
import pytest

from rnn_tf.data.series.synthetic import (
    HOLIDAYS,
    adding_problem,
    daily_series,
    two_sines,
)


def test_the_same_seed_gives_the_same_series_and_another_one_another():
    one, again, other = (daily_series(400, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.values, again.values)
    assert one.sha256 == again.sha256 != other.sha256


def test_a_longer_series_begins_with_the_shorter_one():
    assert np.array_equal(daily_series(700).values[:400], daily_series(400).values)


def test_weekends_are_low_and_the_level_grows():
    days = daily_series()
    weeks = days.values[3 : 3 + 7 * 200].reshape(-1, 7)  # 2016-01-04 was a Monday
    means = weeks.mean(axis=0)
    assert means.argmin() == 6
    assert means[:5].min() > 1.3 * means[5]
    assert days.values[-364:].mean() > 1.05 * days.values[:364].mean()


def test_holidays_are_low_every_year():
    days = daily_series()
    for (month, day), share in HOLIDAYS.items():
        for year in (2017, 2018, 2019):
            date = np.datetime64(f"{year}-{month:02d}-{day:02d}")
            at = int((date - days.dates[0]).astype(int))
            usual = np.median(days.values[at - 28 : at : 7])
            assert 0.7 * share < days.values[at] / usual < 1.3 * share


def test_the_noise_is_autocorrelated():
    """Would catch white noise, which leaves recurrent networks nothing to remember."""
    days = np.log(daily_series(3000).values)
    season = days[364:] - days[:-364]
    season = season[np.abs(season) < 0.2]
    assert np.corrcoef(season[1:], season[:-1])[0, 1] > 0.5


# ------------------------------------------------------------------- two sines


def test_two_sines_are_reproducible_and_longer_ones_go_on_at_the_same_pace():
    """Would catch a time axis that is squeezed to the length of the series."""
    short, again, other = (two_sines(50, 60, seed) for seed in (1, 1, 2))
    assert np.array_equal(short, again)
    assert not np.array_equal(short, other)
    longer = two_sines(50, 600, 1)
    assert longer.shape == (50, 600)
    assert longer.dtype == np.float32
    assert np.abs(longer[:, :60] - short).max() <= 0.1  # but for the noise
    assert np.abs(longer).max() <= 0.5 + 0.2 + 0.05


def test_the_noise_of_two_sines_is_what_the_docstring_promises():
    """The floor of every forecast: uniform in [-0.05, 0.05], so 0.1^2 / 12."""
    one, other = two_sines(2000, 50, 1), two_sines(2000, 51, 1)[:, :50]
    assert np.var(one - other) / 2 == pytest.approx(0.1**2 / 12, rel=0.02)


# ------------------------------------------------------------------- the adding problem


@pytest.mark.parametrize("length", [2, 3, 25, 100])
def test_the_target_is_the_sum_of_exactly_the_two_marked_numbers(length):
    inputs, targets = adding_problem(500, length)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert inputs.shape == (500, length, 2)
    assert inputs.dtype == targets.dtype == np.float32
    assert set(np.unique(marks)) <= {0.0, 1.0}
    assert np.array_equal(marks[:, : length // 2].sum(axis=1), np.ones(500))
    assert np.array_equal(marks[:, length // 2 :].sum(axis=1), np.ones(500))
    np.testing.assert_allclose((numbers * marks).sum(axis=1), targets, rtol=1e-6)
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_every_step_can_be_marked_and_numbers_are_uniform():
    """Would catch a place that is never drawn, and marked numbers unlike the others."""
    inputs, targets = adding_problem(20_000, 10)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    np.testing.assert_allclose(marks.mean(axis=0), np.full(10, 0.2), atol=0.02)
    assert numbers[marks == 1].mean() == pytest.approx(0.5, abs=0.01)
    assert numbers[marks == 0].mean() == pytest.approx(0.5, abs=0.01)
    assert np.mean((targets - 1) ** 2) == pytest.approx(1 / 6, rel=0.03)


def test_lengths_share_their_targets_and_seeds_reproduce():
    """Errors at two lengths are paired, and differ by the length alone."""
    short, long = adding_problem(300, 25), adding_problem(300, 200)
    assert np.array_equal(short[1], long[1])
    assert np.array_equal(short[0], adding_problem(300, 25)[0])
    assert not np.array_equal(short[1], adding_problem(300, 25, seed=2)[1])
