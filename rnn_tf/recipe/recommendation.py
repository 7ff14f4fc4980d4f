"""Say in a sentence which forecast to use, and why."""

from rnn_tf.metrics.formatting import metric_name, number
from rnn_tf.recipe.experiment import Outcome


def sentence(outcome: Outcome, headline: str, best_baseline: str) -> str:
    """Name what did best on validation, and what the test set says of it.

    Args:
        outcome: of the run.
        headline: the metric.
        best_baseline: the baseline that did best on test.
    """
    entry, metrics = outcome.recommended, outcome.tables["metrics"]
    parts = ", ".join(part.model for part in entry.parts)
    name = f"{entry.model} ({parts})" if parts else entry.model
    why = f"the lowest {metric_name(headline)} on validation"
    if entry.kind == "baseline":
        why += ", where no network did better"
    verdict = on_test(metrics, headline, entry.model, best_baseline)
    return f"recommended: {name}, {why}; {verdict}"


def on_test(metrics, headline: str, model: str, best_baseline: str) -> str:
    """Say what the interval of its difference to the best baseline shows.

    Args:
        metrics: DataFrame of metrics.csv.
        headline: the metric.
        model: which is judged.
        best_baseline: the baseline that did best on test.
    """
    if model == best_baseline:
        return "it is the best baseline on test, too"
    rows = metrics[(metrics["model"] == model) & (metrics["slice"] == best_baseline)]
    row = rows[rows["metric"] == f"{headline}_difference"].iloc[0]
    low, high = row["low"], row["high"]
    verdict = "proved better than" if high < 0 else "not proved better than"
    if low > 0:
        verdict = "proved worse than"
    interval = f"{number(row['value'], '+')} [{number(low, '+')}, {number(high, '+')}]"
    return f"on test {verdict} {best_baseline}, the best baseline there: {interval}"
