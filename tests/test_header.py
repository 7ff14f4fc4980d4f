"""Headers: where they are, and the columns in them."""

import pytest

from rnn_tf.data.series import table
from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError


def read(path, **layout):
    return table.read(path, Layout(**layout))


def test_blanks_around_names_and_cells_do_not_matter(csv_file):
    """Would catch "date, value" refused, and a quote after a blank left as it is."""
    found = read(csv_file('date , value\n1, "2,5"\n'))
    assert found["value"] == ["2,5"]


def test_letters_that_macos_has_taken_apart_are_the_same_name(csv_file):
    path = csv_file("date,U\u0308ber\n1,2\n")
    assert read(path, value_column="Über")["Über"] == ["2"]


def test_a_header_may_stand_below_a_title(csv_file):
    """Would catch a bank's export, whose first rows say what it is, refused."""
    text = "Riders of a city\nsource: me, 2020\n\ndate;value;note\n1;2\n3;4;x\n"
    found = read(csv_file(text))
    assert (found["value"], found.lines) == (["2", "4"], [5, 6])
    with pytest.raises(InputError, match="no column 'day'; it has 'Riders of a city'"):
        read(csv_file(text), date_column="day")


def test_the_first_row_that_has_all_columns_is_the_header(csv_file):
    """Would catch a header that stands in row 51 found, and one in row 50 not."""
    for above, fits in ((49, True), (50, False)):
        path = csv_file("a\n" * above + "date,value\n1,2\n")
        if fits:
            assert read(path)["value"] == ["2"]
        else:
            with pytest.raises(InputError, match="no column 'date'; it has 'a'"):
                read(path)
