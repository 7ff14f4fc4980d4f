"""Read Chicago's daily rail boardings (Chicago Transit Authority), a frozen copy.

Source: City of Chicago data portal, data set 6iiy-9s97, as kept by
github.com/ageron/data. The city's live file changes daily, so it is no reference.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from rnn_tf import files
from rnn_tf.data import download
from rnn_tf.data.series import daily
from rnn_tf.data.series.layout import Layout
from rnn_tf.data.series.periods import Periods, by_date

URL = "https://github.com/ageron/data/raw/main/ridership.tgz"
TGZ_SHA256 = "0ff99f3dddd886ddea161b68f25f90b56b0468f5c91949b75376fb494516c794"
CSV = "CTA_-_Ridership_-_Daily_Boarding_Totals.csv"
LAYOUT = Layout("service_date", "rail_boardings")
CSV_SHA256 = "34faaba085ca21434b7dd3e0abcbaf8cde5be3a4f170dda1c8caef72c5c4bd06"


def load(folder: Path | None) -> daily.Series:
    """Read the daily rail boardings from 2001-01-01 to 2021-11-30.

    Args:
        folder: holds the CSV file; None downloads it, once.
    """
    path = download.verify(folder / CSV, CSV_SHA256) if folder else _cached()
    series = daily.read(path, LAYOUT)
    return daily.rename(series, "cta", "boardings")


def _cached() -> Path:
    """Return the file in the cache; download it, if it is not there."""
    path = download.cache() / CSV
    if not path.is_file():
        archive = download.fetch(URL, TGZ_SHA256)
        with files.atomic_file(path) as temporary:
            temporary.write_bytes(download.member(archive, CSV))
    return download.verify(path, CSV_SHA256)


def test_years(series: daily.Series, count: int) -> list[tuple[int, int]]:
    """Return the last `count` years before the pandemic, 2019 the last of them.

    Each is a test period: where it begins and ends, as indices of days.
    """
    ends = np.array([f"{year + 1}-01-01" for year in range(2019 - count, 2020)])
    return list(pairwise(np.searchsorted(series.dates, ends.astype("M8[D]")).tolist()))


def periods(series: daily.Series, train_from: int) -> Periods:
    """Return the fixed periods; only the first year of training can be chosen."""
    bounds = {
        "train": (f"{train_from}-01-01", "2018-12-31"),
        "validation": ("2019-01-01", "2019-05-31"),
        "test": ("2019-06-01", "2019-12-31"),
    }
    return by_date(series, bounds)
