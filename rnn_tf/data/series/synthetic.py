"""Make seeded series, so that every experiment runs without a download."""

import hashlib

import numpy as np

from rnn_tf.data.series.daily import Series

WEEK = np.array([1.05, 1.10, 1.12, 1.10, 1.08, 0.70, 0.55])  # Monday to Sunday
# Month and day, share of the usual level: fixed dates, as most holidays are.
HOLIDAYS = {(1, 1): 0.45, (5, 1): 0.6, (7, 4): 0.55, (12, 25): 0.35, (12, 26): 0.6}
START = np.datetime64("2016-01-01")


def daily_series(days: int = 1461, seed: int = 1) -> Series:
    """Make a daily series like a city's ridership, in riders a day.

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
    filled = np.zeros(days, bool)
    return Series("synthetic", "riders", dates, values, filled, digest)


def _holidays(dates: np.ndarray) -> np.ndarray:
    """Return the share of a usual day's riders, less on a holiday: (days,)."""
    months = dates.astype("datetime64[M]")
    month = months.astype(int) % 12 + 1
    day = (dates - months).astype(int) + 1
    factor = np.ones(len(dates))
    for (holiday_month, holiday_day), share in HOLIDAYS.items():
        factor[(month == holiday_month) & (day == holiday_day)] = share
    return factor


def _ar1(random: np.random.Generator, days: int, coefficient: float) -> np.ndarray:
    """Draw autoregressive noise with mean 0 and variance 1: (days,)."""
    from scipy.signal import lfilter

    shocks = random.normal(scale=np.sqrt(1 - coefficient**2), size=days)
    return lfilter([1.0], [1.0, -coefficient], shocks)


def two_sines(series: int, steps: int, seed: int = 1) -> np.ndarray:
    """Sum two sines with random phase and frequency: (series, steps) float32.

    0.5 sin((t - a)(10 f + 10)) + 0.2 sin((t - b)(20 g + 20)) + uniform noise in
    [-0.05, 0.05], with t from 0 to 1 over 50 steps and a, b, f, g uniform in [0, 1).
    The noise alone leaves a mean squared error of 0.1^2 / 12 = 0.00083.

    Source: Geron (2019), "Hands-On Machine Learning", 2nd edition, chapter 15, where t
    ends at 1 whatever the length; here longer series go on at the same pace.

    Args:
        series: how many.
        steps: of each.
        seed: same seed, same sines, whatever the number of steps.
    """
    random = np.random.default_rng(seed)
    a, b, f, g = random.random((4, series, 1))
    t = np.arange(steps) / 50
    waves = 0.5 * np.sin((t - a) * (10 * f + 10)) + 0.2 * np.sin(
        (t - b) * (20 * g + 20)
    )
    return (waves + 0.1 * (random.random((series, steps)) - 0.5)).astype("float32")


def random_walks(
    series: int, steps: int, drift: float = 0.0, seed: int = 1
) -> np.ndarray:
    """Sum daily returns into log-prices: (series, steps) float32, each from 0 on.

    Returns are normal, independent, with a standard deviation of 1, so the best guess
    h days ahead is the last value and h times the drift: its mean squared error is h.

    Args:
        series: how many.
        steps: of each.
        drift: mean of a return.
        seed: same seed, same walks.
    """
    random = np.random.default_rng(seed)
    returns = random.normal(drift, 1, (series, steps))
    return returns.cumsum(axis=1).astype("float32")


def planted(series: int, steps: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Make what series are the sum of: trend, season, spikes and noise.

    A level and slope of their own, a week of 7 steps with a phase of its own, a spike
    up by 2 at 1 step in 20, and normal noise with a deviation of 0.1.

    Args:
        series: how many.
        steps: of each.
        seed: same seed, same series.

    Returns:
        Name -> (series, steps) float32.
    """
    random = np.random.default_rng(seed)
    level, slope, phase = random.uniform(-1, 1, (3, series, 1))
    t = np.arange(steps)
    parts = {
        "trend": level + slope * t / 20,
        "season": 0.5 * np.sin(2 * np.pi * t / 7 + np.pi * phase),
        "spikes": 2.0 * (random.random((series, steps)) < 0.05),
        "noise": random.normal(0, 0.1, (series, steps)),
    }
    return {name: part.astype("float32") for name, part in parts.items()}


def adding_problem(
    examples: int, length: int, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Make sequences of random numbers, two of them marked; the target is their sum.

    One mark lies in the first half of the sequence and one in the second. The numbers
    are uniform in [0, 1), so always answering 1 has a mean squared error of 1 / 6.

    Source: Hochreiter and Schmidhuber (1997), task 4; the marks as in Arjovsky, Shah
    and Bengio (2016).

    Args:
        examples: how many.
        length: steps of each, 2 or more.
        seed: same seed, same marked numbers and targets, whatever the length.

    Returns:
        Inputs (examples, length, 2), number and mark at each step, and targets
        (examples,), both float32.
    """
    random = np.random.default_rng(seed)
    marked, place = random.random((2, examples, 2), dtype="float32")
    half = np.array([length // 2, length - length // 2])
    steps = (place * half).astype(int) + [0, length // 2]
    inputs = np.zeros((examples, length, 2), "float32")
    inputs[:, :, 0] = random.random((examples, length), dtype="float32")
    row = np.arange(examples)[:, None]
    inputs[row, steps, 0], inputs[row, steps, 1] = marked, 1
    return inputs, marked.sum(axis=1)
