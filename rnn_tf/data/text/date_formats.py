"""Write dates in many ways and languages, each with its ISO 8601 form.

    Freitag, den 27. November 2026      2026-11-27

Every day is written once, so no two examples share an answer. Some ways are held out:
no part has them. Years of two digits are of 1970 to 2069, which a model has to learn.
"""

import datetime

import numpy as np

from rnn_tf.data.text.parallel import Pairs, ParallelText, cut, digest

FIRST = datetime.date(1970, 1, 1)
DAYS = (datetime.date(2070, 1, 1) - FIRST).days

MONTHS = {
    "en": "January February March April May June July August September October "
    "November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November "
    "Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre "
    "décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre "
    "noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre "
    "novembre dicembre",
}
WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
}
FORMATS = {
    "en": (
        "{month} {d}, {y}",
        "{weekday}, {month} {d}, {y}",
        "{d} {month} {y}",
        "{d} {month:.3} {y}",
        "{month:.3} {d} {y}",
        "the {d}{th} of {month} {y}",
        "{y}/{m}/{d}",
        "{y}{m:02}{d:02}",
    ),
    "de": (
        "{d}. {month} {y}",
        "{weekday}, den {d}. {month} {y}",
        "{d}.{m}.{y}",
        "{d:02}.{m:02}.{yy:02}",
    ),
    "fr": ("{d} {month} {y}", "le {weekday} {d} {month} {y}", "le {d}/{m}/{y}"),
    "es": ("{d} de {month} de {y}", "{weekday}, {d} de {month} de {y}"),
    "it": ("{d} {month} {y}", "{weekday} {d} {month} {y}"),
}
HELD_OUT = {
    "en": ("{weekday} the {d}{th} of {month} {y}", "{y} {month} {d}"),
    "de": ("am {d}. {month:.3} {y}", "{d:02}-{m:02}-{y}"),
    "fr": ("{weekday} {d} {month:.4} {y}",),
    "es": ("el {weekday} {d}-{m}-{y}",),
}


def write(day: datetime.date, language: str, pattern: str) -> str:
    """Write a day in a language, by one of its patterns."""
    return pattern.format(
        d=day.day,
        m=day.month,
        y=day.year,
        yy=day.year % 100,
        month=MONTHS[language].split()[day.month - 1],
        weekday=WEEKDAYS[language].split()[day.weekday()],
        th={1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 * (day.day // 10 != 1), "th"),
    )


def dates(count: int, seed: int = 1) -> ParallelText:
    """Write so many different days in three parts, and others in ways held out.

    Args:
        count: of days in the three parts, up to 33,000; a tenth as many are held out.
        seed: same seed, same dates.
    """
    random = np.random.default_rng(seed)
    days = random.permutation(DAYS)
    pairs = _written(random, days[:count], FORMATS)
    others = {
        pattern: _written(random, days[count : count + count // 10], {key: (pattern,)})
        for key, patterns in HELD_OUT.items()
        for pattern in patterns
    }
    return ParallelText("dates", cut(pairs), digest(pairs), ("dates", "iso"), others)


def _written(random, days: np.ndarray, formats: dict) -> Pairs:
    """Write each day in a way that is drawn."""
    ways = [(key, pattern) for key, known in formats.items() for pattern in known]
    drawn = random.integers(len(ways), size=len(days))
    every = [FIRST + datetime.timedelta(days=int(day)) for day in days]
    sources = [write(day, *ways[way]) for day, way in zip(every, drawn, strict=True)]
    return Pairs(tuple(sources), tuple(day.isoformat() for day in every))
