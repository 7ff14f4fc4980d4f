"""What a run knows of one series: a run of that series alone, or of many at once."""

from dataclasses import dataclass

import lazy_loader

from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

GLOBAL = "global_"  # before the names of what was trained on all series
LEARNED = {"trees"}  # baselines that are not simple


@dataclass(frozen=True)
class Part:
    """A run, as it knows one series."""

    run: Finished
    series: str  # the slice of its rows that is of the series; "" of a run of its own
    prefix: str = ""  # before the names of its networks

    def decision(self, name: str) -> str:
        """Return the model that the run has chosen, or recommends."""
        return self.run.decision(name)

    def rows(self, metric: str):
        """Return its rows of metrics.csv on the series."""
        table = self.run.table("metrics")
        return table[(table["metric"] == metric) & (table["slice"] == self.series)]

    def errors(self):
        """Return the errors of its models, a row each.

        Returns:
            A DataFrame with an index of models, and columns kind; name, beside those of
            other parts; validation and test, averaged over the seeds; by_seed, seed ->
            error on test; n, values averaged.
        """
        rows = self.rows("mae")
        keys = ["model", "split"]
        table = rows.groupby(keys, sort=False)["value"].mean().unstack()
        of_test = rows[rows["split"] == "test"].groupby("model", sort=False)
        by_seed = {m: dict(zip(t["seed"], t["value"], strict=True)) for m, t in of_test}
        columns = {"by_seed": pd.Series(by_seed), "n": of_test["n"].first()}
        table = table.assign(kind=of_test["kind"].first(), **columns)
        own = table["kind"] == "baseline"
        return table.assign(name=table.index.where(own, self.prefix + table.index))

    def name(self, model: str) -> str:
        """Return what a model of the run is called beside those of other parts."""
        return self.errors().loc[model, "name"]


def parts_of(series: str, own: Finished | None, every: Finished | None) -> list[Part]:
    """Return the parts that know a series: its own run, and that of all series.

    Args:
        series: its name.
        own: the run that was of this series alone, if there is one.
        every: the run that was of all series, if there is one.
    """
    parts = [Part(own, "")] if own else []
    return parts + ([Part(every, series, GLOBAL)] if every else [])


def simple(errors) -> list[str]:
    """Return the simple baselines of a table of errors."""
    models = errors.index[errors["kind"] == "baseline"]
    return [model for model in models if model not in LEARNED]
