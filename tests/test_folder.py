"""A folder of files: each a series, or refused in a line."""

import gzip

import pytest

from rnn_tf.data.series import daily
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError


def text(first: int, days: int = 30) -> str:
    rows = [f"2020-{1 + i // 28:02}-{1 + i % 28:02},{first + i}" for i in range(days)]
    return "\n".join(["date,value", *rows])


def written(folder, *names):
    for k, name in enumerate(names):
        (folder / name).write_text(text(100 * k, 28))
    return folder


def read(folder, **layout):
    return daily.read_panel(folder, Layout(**layout))


def test_each_file_is_a_series_named_after_it_in_order(tmp_path):
    """Would catch the order of the disk, and what a folder holds besides series."""
    written(tmp_path, "b.csv", "a 2.CSV", "README.md", ".hidden.csv")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(text(300, 28).encode()))
    (tmp_path / "d.csv").mkdir()
    series = read(tmp_path)
    assert list(series) == ["a 2", "b", "c"]
    assert [one.values[0] for one in series.values()] == [100, 0, 300]
    assert {one.name for one in series.values()} == set(series)
    alone = daily.read(tmp_path / "b.csv", Layout())
    assert series["b"].sha256 == alone.sha256
    assert len({one.sha256 for one in series.values()}) == 3


def test_all_files_have_one_layout(tmp_path):
    """Would catch an option that a folder does not pass on."""
    for name in ("a.csv", "b.tsv"):
        cells = text(1, 28).replace("date,value", "day,riders").replace(",", ";")
        (tmp_path / name).write_text(cells.replace("2020-01-05;5\n", ""))
    options = {"date_column": "day", "value_column": "riders", "separator": ";"}
    series = read(tmp_path, **options, fill="last")
    assert [one.filled.sum() for one in series.values()] == [1, 1]
    with pytest.raises(InputError, match=r"a\.csv has gaps"):
        read(tmp_path, **options)


@pytest.mark.parametrize(
    ("names", "layout", "expected"),
    [
        ([], {}, r"has no series: no file in it is named like NAME\.csv, NAME\.tsv"),
        (["README.md", "a.txt"], {}, "has no series"),
        (["a.csv", "a.tsv"], {}, r"two files of one name, a\.csv and a\.tsv; keep one"),
        (["a.csv"], {"series_column": "store"}, "is a folder, in which each file is"),
        (["a.csv"], {"series": "a"}, "is a folder; name the file of the series with"),
    ],
)
def test_a_folder_that_is_no_panel_is_refused(tmp_path, names, layout, expected):
    with pytest.raises(InputError, match=expected) as refused:
        read(written(tmp_path, *names), **layout)
    assert "\n" not in str(refused.value)


def test_what_is_wrong_with_a_file_names_it(tmp_path):
    written(tmp_path, "a.csv", "b.csv")
    (tmp_path / "b.csv").write_text("day,value\n2020-01-01,5\n")
    with pytest.raises(InputError, match=r"b\.csv has no column 'date'"):
        read(tmp_path)
