"""Windows of many series: those of each alone, and none that reaches into another."""

import dataclasses
import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data import splits
from rnn_tf.data.order import Order, shuffled, stacked
from rnn_tf.data.series import many_windows
from rnn_tf.data.series.many_windows import ManyWindows
from rnn_tf.errors import InputError
from tests.conftest import make_series
from tests.test_windows import collected, network_of

LENGTHS = {"a": 500, "b c": 300, "3": 420}
FOLDS = [None, 0, 1, 2]


def some_series(lengths=LENGTHS):
    """Series of other lengths, units and beginnings."""
    random = np.random.default_rng(1)
    return {
        name: make_series(
            random.normal(100, 20, days) * 10.0 ** (k % 5),
            f"20{10 + k % 9}-03-01",
            name,
        )
        for k, (name, days) in enumerate(lengths.items())
    }


def cut_series(series=None, most=3, fold=None) -> ManyWindows:
    cut = many_windows.cut("all", series or some_series(), 28, 7, most)
    return cut if fold is None else cut.of_fold(fold)


def joined(cut: ManyWindows, of_each):
    return np.concatenate([of_each(part) for part in cut.parts.values()])


# ---------------------------------------------------------------- as each alone


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("split", [*splits.SPLITS, "future"])
def test_windows_are_those_of_each_series_alone(split, fold):
    """Would catch an origin, a level or a unit of another series."""
    cut = cut_series(fold=fold)
    for network in (network_of(28), network_of(400), network_of(28, steps=28)):
        x, y = collected(cut.dataset(split, network, 64))
        alone = [
            collected(part.dataset(split, network, 64)) for part in cut.parts.values()
        ]
        for many, each in zip((x, y), zip(*alone, strict=True), strict=True):
            np.testing.assert_array_equal(many, np.concatenate(each))
    targets, dates = cut.targets(split), cut.dates(split)
    assert np.array_equal(
        targets, joined(cut, lambda part: part.targets(split)), equal_nan=True
    )
    assert np.array_equal(dates, joined(cut, lambda part: part.dates(split)))
    ones = np.ones((len(targets), 7))
    expected = joined(
        cut, lambda part: part.in_unit(split, np.ones((len(part.targets(split)), 7)))
    )
    np.testing.assert_array_equal(cut.in_unit(split, ones), expected)


@pytest.mark.parametrize("fold", FOLDS)
def test_a_target_at_every_step_is_none_of_the_block(fold):
    """Would catch a seq-to-seq network that trains on what it is chosen by."""
    cut = cut_series(fold=fold)
    for outputs in (1, 28):
        each = [part.seen("train", outputs) for part in cut.parts.values()]
        begins = cut.begins[:-1]
        expected = [begin + own for begin, own in zip(begins, each, strict=True)]
        assert np.array_equal(cut.seen("train", outputs), np.concatenate(expected))
    x, _ = collected(cut.dataset("train", network_of(28, steps=28), 64))
    assert len(x) == sum(map(len, each))


@pytest.mark.parametrize("fold", FOLDS)
def test_each_series_is_split_by_its_own_days(fold):
    cut = cut_series(fold=fold)
    for split in splits.SPLITS:
        rows = cut.rows(split)
        assert list(rows) == list(LENGTHS)
        for name, part in cut.parts.items():
            own = cut.targets(split)[rows[name]]
            np.testing.assert_array_equal(own, part.targets(split))
            assert part.series.name == name
    assert {part.periods.test[1] for part in cut.parts.values()} == {500, 300, 420}


def test_no_window_reaches_into_the_series_before():
    """Would catch a year of inputs that is another series' last one."""
    cut = cut_series()
    x, _ = collected(cut.dataset("train", network_of(400), 64))
    for rows, part in zip(cut.rows("train").values(), cut.parts.values(), strict=True):
        unknown = np.isnan(x[rows, :, 0]).sum(axis=1)
        expected = np.maximum(400 - part.origins["train"], 0)
        assert unknown.tolist() == expected.tolist()


def test_a_single_series_is_as_ever():
    """Would catch a global network that differs from a local one on one series."""
    cut = cut_series({"a": some_series()["a"]})
    (alone,) = cut.parts.values()
    assert cut.smallest_spread == alone.smallest_spread
    assert cut.level_days == alone.level_days
    for shuffle in (shuffled, stacked):
        many, one = (
            of.dataset("train", network_of(28), 16, Order(1), shuffle, 5)
            for of in (cut, alone)
        )
        if shuffle is stacked:
            many, one = (of.unbatch().take(5) for of in (many, one))
        for part, same in zip(collected(many), collected(one), strict=True):
            np.testing.assert_array_equal(part, same)


# ---------------------------------------------------------------- no leak


def days_of(cut: ManyWindows, name: str, split: str, steps: int = 1) -> set[int]:
    """The days of a series that are targets of its windows."""
    number = list(cut.parts).index(name)
    begin, end = cut.begins[number : number + 2]
    origins = cut.seen(split, steps)
    own = origins[(begin <= origins) & (origins < end)] - begin
    return set((own[:, None] + np.arange(1 - steps, cut.horizon)).ravel().tolist())


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(250, 600), min_size=1, max_size=4),
    fold=st.sampled_from(FOLDS),
    steps=st.sampled_from([1, 28]),
    gaps=st.sets(st.integers(30, 240), max_size=8),
)
def test_no_series_trains_on_what_judges_it(lengths, fold, steps, gaps):
    """Property: no training window shares a target with validation or test."""
    series = some_series({f"s{k}": days for k, days in enumerate(lengths)})
    for name, one in series.items():
        filled = np.isin(np.arange(len(one.values)), list(gaps))
        series[name] = dataclasses.replace(one, filled=filled, fill="linear")
    cut = cut_series(series)
    blocks = {part.periods.blocks for part in cut.parts.values()}
    assert len(blocks) == 1
    cut = cut if fold is None or fold >= min(blocks) else cut.of_fold(fold)
    for name in series:
        trained = days_of(cut, name, "train", steps)
        assert trained
        for split in ("validation", "test"):
            assert not trained & days_of(cut, name, split)


def test_what_comes_later_changes_nothing_in_training():
    """Would catch a level of another series, or of days that are held out."""
    series = some_series()
    changed = {}
    for name, one in series.items():
        values, test = one.values.copy(), len(one.values) - round(0.2 * LENGTHS[name])
        values[test:] = values[test:] * 3 + 1000
        changed[name] = dataclasses.replace(one, values=values)
    for before, after in zip(
        collected(cut_series(series, fold=0).dataset("train", network_of(), 64)),
        collected(cut_series(changed, fold=0).dataset("train", network_of(), 64)),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)


# ---------------------------------------------------------------- batches, memory


def test_batches_mix_series():
    """Would catch a network that unlearns one series while it sees the next."""
    cut = cut_series()
    begins = cut.begins[1:]

    def kept(count, batch, order, cut_of, steps):
        assert count == len(cut.origins["train"])
        return shuffled(count, batch, order, lambda which: (which, which), steps)

    dataset = cut.dataset("train", network_of(28), 64, Order(1), kept, 100)
    numbers = [np.searchsorted(begins, cut.origins["train"][x]) for x, _ in dataset]
    assert len(numbers) == 100
    assert np.mean([len(set(of.tolist())) for of in numbers]) > 2.9


def test_100_series_of_2000_days_are_held_once():
    """Would catch windows that are cut before they are asked for: 500 MB."""
    series = some_series({f"s{k}": 2_000 for k in range(100)})
    tracemalloc.start()
    cut = many_windows.cut("all", series, 56, 7, 3)
    folds = [cut.of_fold(fold) for fold in range(3)]
    for one in (cut, *folds):
        one.cutter(420)
        _ = one.origins, one.targets("test")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 120e6  # 60 MB when this was written, for four sights of all series


# ---------------------------------------------------------------- from series


def test_blocks_are_as_many_as_the_shortest_allows():
    """Would catch a seed that holds out a block which a short series has not."""
    short = some_series(LENGTHS | {"short": 110})
    assert cut_series().first.periods.blocks == 3
    blocks = {part.periods.blocks for part in cut_series(short).parts.values()}
    assert blocks == {1}


def test_short_series_are_named_in_a_line():
    lengths = LENGTHS | {f"short {k}": 20 + k for k in range(7)}
    expected = (
        r"all has 7 series that are too short for windows of --lookback 28 \+ "
        r"--horizon 7, which need \d\d days: 'short 0' has 20, .*'short 4' has 24, 2 "
        "more; leave them out, or choose a smaller"
    )
    with pytest.raises(InputError, match=expected):
        cut_series(some_series(lengths))


def test_what_cannot_be_learned_names_its_series():
    series = some_series() | {"flat": make_series(np.full(300, 5.0), name="flat")}
    with pytest.raises(InputError, match="flat is constant in training"):
        cut_series(series)


def test_facts_are_of_all_series():
    """Would catch a checksum that one series, or its name, does not move."""
    series = some_series()
    facts = cut_series(series).facts()
    assert facts["series"] == list(LENGTHS)
    assert facts["windows"]["test"] == (100 - 6) + (60 - 6) + (84 - 6)
    assert facts["says"].startswith("all, 3 series, windows: train ")
    zeros = "0" * 64
    text = "".join(f"{name}\n{zeros}\n" for name in LENGTHS)
    assert facts["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    other = dict(series, d=series["a"])
    assert cut_series(other).facts()["sha256"] != facts["sha256"]


def test_notes_name_their_series():
    series = some_series()
    for name in ("a", "3"):
        notes = ("filled 2 missing days (last)",)
        series[name] = dataclasses.replace(series[name], notes=notes)
    assert cut_series(series).facts()["notes"] == ["a, 3: filled 2 missing days (last)"]
    series["b c"] = dataclasses.replace(series["b c"], notes=notes)
    facts = cut_series(series).facts()
    assert facts["notes"] == ["filled 2 missing days (last)"]
    assert facts["says"].endswith("; filled 2 missing days (last)")
