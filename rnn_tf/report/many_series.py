"""Show for each of many series what is recommended, and how that did on test."""

from rnn_tf.metrics.formatting import PlainTable, number, plain_table
from rnn_tf.report import relative_errors


def table(series, forecast, title: str) -> PlainTable:
    """Make a table of the series: what is recommended, and the best simple baseline.

    Args:
        series: DataFrame of series.csv.
        forecast: DataFrame of forecast.csv, which names what is recommended.
        title: above it.
    """
    names = forecast.drop_duplicates("series").set_index("series")["model"]
    shown = plain_table(title, ["series", "recommended"], ["MAE"])
    shown.add_column("times the best simple baseline's")
    for name, rows in series.groupby("series", sort=False):
        own = rows[rows["model"] == "recommended"].iloc[0]
        best = rows[rows["relative"] == 1]["model"]
        times = f"{own['relative']:.2f} x {best.iloc[0]}" if len(best) else ""
        shown.add_row(str(name), names[name], number(own["test"]), times)
    return shown


def days_table(days: list[dict], title: str) -> PlainTable:
    """Make a table of the days to come: a row for each series, a column for each day.

    Args:
        days: rows of forecast.csv.
        title: above it.
    """
    ahead = {}
    for day in days:
        ahead.setdefault((day["series"], day["model"]), []).append(day["forecast"])
    numbers = range(1, 1 + max(map(len, ahead.values())))
    heads = [f"day {n}" if n == 1 else str(n) for n in numbers]
    shown = plain_table(title, ["series", "by"], heads)
    for names, values in ahead.items():
        shown.add_row(*names, *map(number, values))
    return shown


def picture(path, series) -> None:
    """Draw the relative errors of all models, a dot for each series.

    Of a network with several seeds, their ensemble alone is shown; what some series
    lack, such as a year before, is left out.

    Args:
        path: of the picture.
        series: DataFrame of series.csv.
    """
    models = set(series["model"])
    single = series["model"].map(lambda model: f"{model}_ensemble" not in models)
    counts = series["model"].map(series["model"].value_counts())
    shown = series[single & (counts == counts.max()) & series["relative"].notna()]
    baseline = "that of the series' best simple baseline"
    relative_errors.picture(path, shown, "series", baseline)
