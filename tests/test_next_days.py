"""The days to come: intervals of a run, its folder, the command, table and picture."""

import csv
import dataclasses
import io
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from rich.console import Console

from experiments import forecast
from rnn_tf import config
from rnn_tf.baselines import series as baselines
from rnn_tf.data.series.level import own_levels
from rnn_tf.data.series.periods import by_share
from rnn_tf.data.series.synthetic import daily_series
from rnn_tf.data.series.windows import Windows
from rnn_tf.data.splits import Data, Network
from rnn_tf.errors import InputError
from rnn_tf.recipe import next_days
from rnn_tf.recipe.experiment import Entry
from rnn_tf.report import next_days as report
from tests.conftest import make_series
from tests.test_plots import drawn_labels, size

NO_HYPERPARAMETERS = SimpleNamespace(
    Choice=lambda name, values, default=None: values[0]
)


def rows_of(path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------ in a run


def data_of(cut: Windows, **folds) -> Data:
    return Data(None, None, 32, 14, cut.facts(), cut, **folds)


def test_intervals_are_in_spreads_of_each_window_and_tell_their_coverage():
    """Would catch widths in riders, of the wrong split, or of one day for all."""
    values = np.random.default_rng(1).normal(100, 10, 400)
    values[320:] += 8 * (values[320:] - 100)  # in test the level and the spread move
    cut = Windows(make_series(values), by_share(400), 28, 2)
    in_spreads = {"validation": np.array([1.0, 2.0]), "test": np.array([-0.5, 3.0])}

    def predict(split):
        spread = cut.levels[cut.origins[split], 1:]
        return [cut.targets(split) - in_spreads[split] * spread]

    entry = Entry("gru_ensemble", "ensemble", ("",), predict)
    rows, facts = next_days.intervals(entry, data_of(cut))
    assert [row["metric"] for row in rows] == ["coverage_80", "coverage_95"]
    for row in rows:  # the first day is always inside, the second never
        assert row["value"] == 50
        assert (row["unit"], row["slice"], row["split"]) == ("%", "", "test")
        assert row["n"] == cut.targets("test").size
    assert facts["level_days"] == [28, 28]
    assert facts["smallest_spread"] == cut.smallest_spread
    for level in ("80", "95"):
        np.testing.assert_allclose(facts["half_widths"][level], [1, 2])
    read = next_days.read_intervals(json.loads(json.dumps(facts)), 2)
    np.testing.assert_allclose(
        read.around(values)[80], np.array([1, 2]) * cut.levels[-1, 1]
    )


def test_each_seed_is_measured_on_the_block_that_it_held_out():
    """Would catch errors against another fold's targets."""
    cut = Windows(make_series(np.arange(500) % 11), by_share(500, 2), 28, 1)
    folds = [data_of(cut.of_fold(0)), data_of(cut.of_fold(1))]
    data = data_of(cut, folds=2, of_fold=folds.__getitem__)

    def predict(split):
        return [data.seen_by(seed).source.targets(split) for seed in (1, 2)]

    entry = Entry("gru", "tuned", (1, 2), predict)
    rows, facts = next_days.intervals(entry, data)
    assert facts["half_widths"] == {"80": [0.0], "95": [0.0]}
    assert [row["value"] for row in rows] == [100, 100]
    assert rows[0]["n"] == 2 * len(cut.origins["test"])


# ------------------------------------------------------------ the folder of a run

UNIT = 1e7  # of the series below: its spread is far above what `saved_model` lets pass


@pytest.fixture(scope="module")
def csv_text():
    """Two years of a series in large numbers."""
    series = daily_series(800)
    pairs = zip(series.dates, series.values * UNIT, strict=True)
    return "\n".join(["day,sales", *(f"{day},{value}" for day, value in pairs)])


@pytest.fixture(scope="module")
def run(tmp_path_factory, csv_text):
    """The folder of a run that recommends two networks, trees and last year."""
    folder = tmp_path_factory.mktemp("run")
    path = folder / "sales.csv"
    path.write_text(csv_text)
    options = forecast.Config(
        data=str(path), date_column="day", value_column="sales", classical=False
    )
    data = forecast.load_data(options)
    keras.utils.set_random_seed(1)
    networks = [
        Network(name, forecast.MODELS[name](NO_HYPERPARAMETERS, options, None))
        for name in ("mlp", "year_gru")
    ]
    forecast.export(networks, data).save(folder / next_days.FILE)
    parts = ["mlp_ensemble", "year_gru_ensemble", "trees", "year_before"]
    write_info(
        folder,
        experiment="forecast",
        config=config.to_json(options),
        recommended={"model": "mean_of_best", "parts": parts},
        intervals={
            "level_days": [28, 56],
            "smallest_spread": data.source.smallest_spread,
            "half_widths": {"80": [1.0] * 7, "95": [2.0] * 7},
        },
    )
    return folder


def write_info(folder, **info) -> None:
    (folder / "config.json").write_text(json.dumps(info))


def predict(*arguments) -> int:
    return config.main(
        forecast.run, forecast.Config, forecast.FULL, "forecast",
        ["predict", *map(str, arguments)], predict=forecast.predict_next_days,
    )  # fmt: skip


def test_predict_is_the_mean_of_all_parts_on_a_newer_file(
    run, csv_text, tmp_path, capsys
):
    """Would catch one vote for two networks, old baselines, and yesterday's dates."""
    lines = csv_text.splitlines()
    path, output = tmp_path / "newer.csv", tmp_path / "ahead.csv"
    path.write_text("\n".join(lines[:750]))
    assert predict("--model", run, path, "--output", output) == 0
    rows = rows_of(output)
    assert list(rows[0]) == report.COLUMNS
    assert [row["date"] for row in rows] == [x.split(",")[0] for x in lines[750:757]]
    values = np.array([float(line.split(",")[1]) for line in lines[1:750]])
    model = keras.saving.load_model(run / next_days.FILE, compile=False)
    past = values[None, -model.input_shape[1] :, None].astype("float32")
    networks = model.predict(past, verbose=0)[0].astype(float)
    options = forecast.Config(data=str(path), date_column="day", value_column="sales")
    cut = forecast.load_data(options).source
    trees = baselines.predictors(cut, classical=False)["trees"]("future")[0]
    expected = (2 * networks + trees + values[-364:-357]) / 4
    found = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]
             if name != "date"}  # fmt: skip
    np.testing.assert_allclose(found["forecast"], expected, rtol=1e-6)
    spread = own_levels(values[-56:], 28, 56, 0.0)[-1, 1]
    for level, widths in (("80", 1), ("95", 2)):
        for end, sign in (("low", -1), ("high", 1)):
            ends = expected + sign * widths * spread
            np.testing.assert_allclose(found[f"{end}_{level}"], ends, rtol=1e-6)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert rows[0]["date"] in printed.out
    assert "newer, sales" in printed.out


def test_predict_takes_the_runs_own_data_and_writes_beside_you(
    run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert predict("--model", run) == 0
    assert len(rows_of(tmp_path / "forecast.csv")) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["forecast.csv"]


def damaged(run, folder, **changes):
    """Copy a run's folder with changes of its config.json, and of its model."""
    folder.mkdir()
    info = json.loads((run / "config.json").read_text()) | changes
    write_info(folder, **{key: v for key, v in info.items() if v is not None})
    (folder / next_days.FILE).write_bytes((run / next_days.FILE).read_bytes())
    return folder


ONES = [1.0] * 7
WIDTHS = {"level_days": [28, 56], "smallest_spread": 1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"experiment": "sketch"}, "is not the folder of a finished forecast run"),
        ({"recommended": None}, "recommends no forecast"),
        ({"intervals": None}, "recommends no forecast"),
        ({"recommended": 5}, "is damaged"),
        ({"recommended": {"model": "gru", "parts": [1]}}, "is damaged"),
        ({"recommended": {"model": "a", "parts": ["grue"]}}, "is called 'grue'"),
        ({"config": {"lookback": "many"}}, "config.json has lookback 'many'"),
        ({"config": {"of_later": 1}}, "of_later, which this version does not know"),
        ({"intervals": 5}, "is damaged"),
        ({"intervals": WIDTHS}, "is damaged"),
        (
            {"intervals": WIDTHS | {"half_widths": {"80": [1.0], "95": ONES}}},
            "half_widths of 80 % are not 7 numbers",
        ),
        (
            {
                "intervals": WIDTHS
                | {"half_widths": {"80": [-1.0] * 7, "95": [1.0] * 7}}
            },
            "half_widths of 80 % are not 7 numbers",
        ),
    ],
)
def test_a_run_that_cannot_forecast_is_one_line(
    run, tmp_path, capsys, changes, message
):
    """Would catch a traceback, and a forecast.csv of a folder that is not sound."""
    if isinstance(options := changes.get("config"), dict):
        first = json.loads((run / "config.json").read_text())["config"]
        changes = {"config": first | options}
    folder = damaged(run, tmp_path / "damaged", **changes)
    assert_refused(capsys, message, "--model", folder, "--output", tmp_path / "x.csv")


def assert_refused(capsys, message: str, *arguments) -> None:
    """The command ends with code 2 and one line, and writes nothing."""
    assert predict(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
    output = arguments[arguments.index("--output") + 1]
    assert not output.exists()


def test_a_damaged_model_and_a_lost_one_are_one_line(run, tmp_path, capsys):
    output = "--output", tmp_path / "x.csv"
    folder = damaged(run, tmp_path / "damaged")
    path = folder / next_days.FILE
    path.write_bytes(path.read_bytes()[:1000])
    assert_refused(capsys, "is not a sound model", "--model", folder, *output)
    path.unlink()
    assert_refused(capsys, "is not a sound model", "--model", folder, *output)
    keras.Sequential([keras.Input((28, 1)), keras.layers.Flatten()]).save(path)
    assert_refused(capsys, "it does not give 7 days", "--model", folder, *output)
    missing = tmp_path / "none"
    assert_refused(capsys, "is not the folder of a", "--model", missing, *output)


def test_a_file_that_is_too_short_says_how_many_days_it_needs(
    run, csv_text, tmp_path, capsys
):
    path, lines = tmp_path / "short.csv", csv_text.splitlines()
    command = "--model", run, path, "--output", tmp_path / "x.csv"
    path.write_text("\n".join(lines[:51]))
    assert_refused(capsys, "a series needs 90 days", *command)
    path.write_text("\n".join(lines[:301]))
    says = "needs 364 days, and this one has 300"
    assert_refused(capsys, says, *command)


def test_baselines_alone_need_no_model(run, tmp_path, capsys):
    """Would catch a load of recommended.keras where no network is a part."""
    alone = {"model": "year_before", "parts": ["year_before"]}
    folder = damaged(run, tmp_path / "alone", recommended=alone)
    (folder / next_days.FILE).unlink()
    output = tmp_path / "x.csv"
    assert predict("--model", folder, "--output", output) == 0
    series = daily_series(800)
    found = [float(row["forecast"]) for row in rows_of(output)]
    np.testing.assert_allclose(found, series.values[-364:-357] * UNIT)


def test_a_newer_file_of_chicago_has_the_columns_of_the_city():
    options = forecast.Config(data="cta")
    newer = forecast._of_file(options, "newer.csv")
    assert (newer.data, newer.date_column) == ("newer.csv", "service_date")
    assert newer.value_column == "rail_boardings"


# ------------------------------------------------------------ table and picture


WIDTHS = {80: np.array([10, 20, 30.0]), 95: np.array([100, 200, 300.0])}


@pytest.fixture
def days():
    series = make_series(np.arange(90.0) - 45, start="2026-09-01")
    return report.rows(series, np.array([123_456.0, 1.5, -7.0]), WIDTHS)


def test_rows_hold_both_ends_of_both_intervals(days):
    assert days[1] == {
        "date": "2026-12-01", "forecast": 1.5, "low_80": -18.5, "high_80": 21.5,
        "low_95": -198.5, "high_95": 201.5,
    }  # fmt: skip
    assert list(days[0]) == report.COLUMNS


def test_what_was_never_below_0_is_not_forecast_to_be():
    """Would catch a shop that is told to expect -7 customers."""
    rows = report.rows(make_series(np.arange(90.0)), np.array([99, 1.5, -7]), WIDTHS)
    assert [row["forecast"] for row in rows] == [99, 1.5, 0]
    assert [row["low_80"] for row in rows] == [89, 0, 0]
    assert [row["high_80"] for row in rows] == [109, 21.5, 23]


@pytest.mark.parametrize("width", [40, 46, 50, 60, 80])
def test_no_number_of_the_table_is_cut_in_any_terminal(days, width):
    """Would catch rich's ellipsis, and digits of one number on two lines."""
    console = Console(width=width, file=io.StringIO(), record=True)
    report.show(days, "sales [bold], by gru", console)
    text = console.export_text()
    words = text.split()
    assert {"Mon", "2026-11-30", "123,456", "123,446", "123,466"} <= set(words)
    assert "sales [bold], by gru" in text
    assert max(map(len, text.splitlines())) <= width
    assert ("95" in words) == (width > 40)
    assert ("123,556" in words) == (width > 40)


def test_a_price_is_shown_as_finely_as_its_interval_is_wide():
    """Would catch 111 to 112 for a share whose price is known to a cent."""
    series = make_series(np.arange(90.0) + 100)
    widths = {80: np.array([0.64]), 95: np.array([1.5])}
    console = Console(width=80, file=io.StringIO(), record=True)
    report.show(report.rows(series, np.array([111.234]), widths), "price", console)
    assert {"111.2", "110.6", "111.9"} <= set(console.export_text().split())


@pytest.mark.parametrize("horizon", [1, 7, 400])
@pytest.mark.parametrize("calendar", ["daily", "business"])
def test_the_picture_shows_any_horizon(tmp_path, horizon, calendar):
    """Would catch more ticks than matplotlib draws, and a day ahead without a bar."""
    series = make_series(np.arange(500) % 7, start="2024-01-01")
    if calendar == "business":
        dates = np.busday_offset("2024-01-01", np.arange(500))
        series = dataclasses.replace(series, dates=dates, calendar=calendar)
    widths = dict.fromkeys(report.LEVELS, np.ones(horizon))
    rows = report.rows(series, np.ones(horizon), widths)
    report.picture(tmp_path / "x.png", series, rows, "gru")
    assert size(tmp_path / "x.png")[0] > 900


def test_the_picture_names_what_it_shows(days, monkeypatch, tmp_path):
    series = make_series(np.arange(90))
    draw = lambda: report.picture(tmp_path / "x.png", series, days, "_gru $a$")  # noqa: E731
    names = drawn_labels(monkeypatch, draw)
    assert names == ["truth", r" _gru \$a\$", "95 %", "80 %"]


# ------------------------------------------------------------ a run's report


def test_a_run_recommends_the_days_to_come():
    """Would catch one of the seeds for all, or the last test window's forecast."""
    cut = Windows(daily_series(500), by_share(500), 28, 7)
    ahead = {
        "future": [np.full((1, 7), 10.0), np.full((1, 7), 30.0)],
        "validation": [cut.targets("validation")] * 2,
        "test": [cut.targets("test")] * 2,
    }
    entry = Entry("gru", "tuned", (1, 2), ahead.__getitem__)
    rows = forecast.days_to_come(entry, data_of(cut))
    assert [row["forecast"] for row in rows] == [20.0] * 7
    assert rows[0]["date"] == str(cut.series.dates[-1] + 1)


def test_a_network_and_the_saved_model_agree_on_the_days_to_come():
    """Would catch a future window that is a day early, or has another level."""
    options = forecast.Config(seeds=1)
    data = forecast.load_data(options)
    for name in ("mlp", "seq2seq", "year_gru"):
        keras.utils.set_random_seed(1)
        model = forecast.MODELS[name](NO_HYPERPARAMETERS, options, None)
        network = Network(name, model)
        found = forecast.predict(network, data, "future")
        saved = forecast.export([network], data)
        values = data.source.series.values[None, -saved.input_shape[1] :, None]
        expected = saved.predict(values.astype("float32"), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_error_of_a_damaged_folder_is_an_input_error(run):
    with pytest.raises(InputError, match="no forecast is called"):
        found = dataclasses.replace(next_days.find(run), parts=("lstmm",))
        cut = Windows(daily_series(500), by_share(500), 28, 7)
        next_days.forecast(found, cut, {}, forecast.MODELS)
