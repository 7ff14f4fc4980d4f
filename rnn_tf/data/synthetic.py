"""Seeded data that needs no download, so that every experiment runs anywhere."""

import hashlib

import numpy as np

from rnn_tf.data.series import Series

WEEK = np.array([1.05, 1.10, 1.12, 1.10, 1.08, 0.70, 0.55])  # Monday to Sunday
# Month and day, share of the usual level: fixed dates, as most holidays are.
HOLIDAYS = {(1, 1): 0.45, (5, 1): 0.6, (7, 4): 0.55, (12, 25): 0.35, (12, 26): 0.6}
START = np.datetime64("2016-01-01")


def daily_series(days: int = 1461, seed: int = 1) -> Series:
    """A daily series like a city's ridership, in riders a day.

    level x week x year x holiday x exp(noise), where the noise is autocorrelated:
    AR(1) with coefficient 0.8 and a standard deviation of 3 %. The optimal forecast
    therefore still errs by a few per cent.

    Args:
        days: length of the series, from 2016-01-01 on.
        seed: same seed, same series.
    """
    random = np.random.default_rng(seed)
    dates = START + np.arange(days)
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    year = 1 + 0.08 * np.sin(2 * np.pi * np.arange(days) / 365.25 - 0.5)
    level = 100_000 * (1 + 0.03 * np.arange(days) / 365.25)
    clean = level * WEEK[weekday] * year * _holidays(dates)
    values = np.round(clean * np.exp(0.03 * _ar1(random, days, 0.8)))
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    nothing = np.zeros(days, bool)
    return Series("synthetic", "riders", dates, values, nothing, digest)


def _holidays(dates: np.ndarray) -> np.ndarray:
    """(days,): 1 on a usual day, less on a holiday."""
    months = dates.astype("datetime64[M]")
    month = months.astype(int) % 12 + 1
    day = (dates - months).astype(int) + 1
    factor = np.ones(len(dates))
    for (holiday_month, holiday_day), share in HOLIDAYS.items():
        factor[(month == holiday_month) & (day == holiday_day)] = share
    return factor


def _ar1(random: np.random.Generator, days: int, coefficient: float) -> np.ndarray:
    """(days,): autoregressive noise with mean 0 and variance 1."""
    from scipy.signal import lfilter

    shocks = random.normal(scale=np.sqrt(1 - coefficient**2), size=days)
    return lfilter([1.0], [1.0, -coefficient], shocks)
