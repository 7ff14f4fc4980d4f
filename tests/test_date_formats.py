"""Dates in many ways: written as people do, once each, by a seed."""

import datetime

import pytest

from rnn_tf.data.text import date_formats

DAY = datetime.date(2026, 11, 27)


@pytest.mark.parametrize(
    ("language", "pattern", "text"),
    [
        ("en", "{weekday}, {month} {d}, {y}", "Friday, November 27, 2026"),
        ("en", "the {d}{th} of {month} {y}", "the 27th of November 2026"),
        ("de", "{weekday}, den {d}. {month} {y}", "Freitag, den 27. November 2026"),
        ("de", "{d:02}.{m:02}.{yy:02}", "27.11.26"),
        ("fr", "{weekday} {d} {month:.4} {y}", "vendredi 27 nove 2026"),
    ],
)
def test_a_day_is_written_as_people_do(language, pattern, text):
    assert date_formats.write(DAY, language, pattern) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (31, "31st")],
)
def test_ordinals_are_english(day, text):
    """Would catch 11st."""
    date = datetime.date(2026, 1, day)
    assert date_formats.write(date, "en", "{d}{th}") == text


def test_no_answer_stands_in_two_parts_nor_among_those_held_out():
    """Would catch a nearest pair that has the answer."""
    text = date_formats.dates(1_000)
    parts = *text.parts.values(), *text.held_out.values()
    answers = [answer for part in text.parts.values() for answer in part.targets]
    assert len(set(answers)) == 1_000
    held_out = {answer for part in parts[3:] for answer in part.targets}
    assert held_out.isdisjoint(answers)
    assert [len(part) for part in text.parts.values()] == [800, 100, 100]


def test_ways_held_out_are_in_no_part():
    for language, patterns in date_formats.HELD_OUT.items():
        assert set(patterns).isdisjoint(date_formats.FORMATS[language])


def test_the_same_seed_gives_the_same_dates():
    first, again, other = (date_formats.dates(100, seed) for seed in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256
