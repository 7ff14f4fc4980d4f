"""Made-up data: reproducible, and with the structure it promises."""

import numpy as np

from rnn_tf.data.synthetic import HOLIDAYS, daily_series


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
