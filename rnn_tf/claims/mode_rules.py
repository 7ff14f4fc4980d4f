"""Judge claims on ways to use a sequence, by the runs of `make modes`.

M2, M6 to M8, M16, Q1 to Q4, Q7, Q13 and Q15. Differences are of test errors, paired
over the seeds. One is a gain where its interval leaves out 0, and none where it leaves
out even a tenth of the other's error; anything else is undecided. Where networks may
leave next to no error (M16, Q1), it is a tenth of a constant guess's. No TensorFlow.
"""

from rnn_tf.claims.comparison import SEEDS, paired
from rnn_tf.claims.recall_rules import SHARE, Gain, judge
from rnn_tf.claims.verdict import NOT_MEASURED, Finding, by_share
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

CHANCE = "constant"  # the baseline that guesses the same whatever the input is
MAP_EQUAL = 1e-4  # of the largest output: 32-bit sums in another order

# ---------------------------------------------------------------- rows


def task_rows(run: Finished, task: str):
    """Return the rows of a task in modes.csv; None if there are none."""
    rows = run.table("modes") if run.experiment == "modes" else None
    if rows is None:
        return None
    rows = rows[rows["task"] == task]
    return None if rows.empty else rows


def by_seed(rows, model: str, part: str = "", metric: str = ""):
    """Return the values of a model: a Series by seed.

    Args:
        rows: of a task.
        model: in its column.
        part: of the test set.
        metric: by default error or MSE.
    """
    wanted = [metric] if metric else ["error", "mse"]
    chosen = rows["metric"].isin(wanted) & (rows["slice"] == part)
    own = rows[chosen & (rows["model"] == model)].set_index("seed")["value"]
    return own[own.astype(str) != ""].astype(float)


def gain(
    run: Finished,
    task: str,
    model: str,
    other: str = CHANCE,
    part: str = "",
    scale: str = "",
) -> Gain | None:
    """Compare a model with another on a task; None if one of them has no rows.

    Args:
        run: with modes.csv.
        task: in its column.
        model: whose error should be lower.
        other: what it is compared with.
        part: of the test set.
        scale: a tenth of whose error counts as a gain; by default the other's.
    """
    rows = task_rows(run, task)
    if rows is None:
        return None
    names = model, other, scale or other
    first, second, third = (by_seed(rows, name, part) for name in names)
    if first.empty or second.empty or third.empty:
        return None
    return Gain(paired(first, second), SHARE * float(third.mean()))


def gains(run: Finished, pairs: dict[str, tuple]) -> dict[str, Gain]:
    """Compare the pairs that a run has: what to call one -> arguments of `gain`."""
    compared = {name: gain(run, *pair) for name, pair in pairs.items()}
    return {name: own for name, own in compared.items() if own is not None}


def decide(holds: dict[str, bool | None], evidence: str) -> Finding:
    """Judge facts as `by_share` does; nothing is judged while one is undecided."""
    undecided = [name for name, fits in holds.items() if fits is None]
    if undecided:
        names = ", ".join(undecided)
        return Finding(NOT_MEASURED, f"undecided for {names}: {evidence}")
    return by_share(holds, evidence)


def describe(compared: dict[str, Gain]) -> str:
    """Write differences with their intervals."""
    return "; ".join(f"{name} {own.gap}" for name, own in compared.items())


def negate(helps: bool | None) -> bool | None:
    """Return whether there is no gain; None stays undecided."""
    return None if helps is None else not helps


# ---------------------------------------------------------------- modes


def modes_work(run: Finished) -> Finding | None:
    """M2: each mode beats the best constant guess on digits."""
    pairs = {
        "class to columns": ("class_to_columns", "from_vector"),
        "columns to class": ("columns_to_class", "gru"),
        "columns to tags": ("columns_to_tags", "gru_steps"),
    }
    return judge(gains(run, pairs))


def dna_is_many_to_one(run: Finished) -> Finding | None:
    """M6: one answer for a sequence is learned, and one for each base is not.

    What is learned base by base is many-to-many.
    """
    tagger = "motif_places", "bidirectional"
    pairs = {"whether there is a motif": ("motif", "gru"), "each base of it": tagger}
    compared = gains(run, pairs)
    if len(compared) < 2:
        return None
    whole, each = (own.helps for own in compared.values())
    holds = dict(zip(pairs, (whole, negate(each)), strict=True))
    return decide(holds, f"minus a constant guess: {describe(compared)}")


def names_are_many_to_many(run: Finished) -> Finding | None:
    """M7: a tag for each word is learned, forward and in both directions."""
    pairs = {
        "both directions": ("names", "bidirectional"),
        "forward alone": ("names", "gru_steps"),
    }
    return judge(gains(run, pairs))


def prices_are_forecast(run: Finished) -> Finding | None:
    """M8: sequence to vector, a GRU forecasts prices better than no network does.

    The prices are a random walk: nothing but their drift can be forecast, and the mean
    change of training has that. The last value has not. Two sines are the control: so
    the verdict depends where the mode works, on what is not random.
    """
    rows = task_rows(run, "prices")
    if rows is None:
        return None
    pairs = {
        f"GRU minus {words} at day {days}": ("prices", "gru", rival, days)
        for days in rows["slice"].drop_duplicates()
        for rival, words in (("last_value", "the last value"), ("drift", "the drift"))
    }
    pairs["GRU minus the last value on two sines"] = "sines_ahead", "gru", "last_value"
    return judge(gains(run, pairs))


def convolutions_are_not_for_sequences(run: Finished) -> Finding | None:
    """M16: a GRU has a smaller error than causal convolutions with as many weights."""
    tasks = {"GRU minus causal convolutions on sines": "sines", "on adding": "adding"}
    pair = "gru", "causal_conv", "", CHANCE
    return judge(gains(run, {name: (task, *pair) for name, task in tasks.items()}))


# ---------------------------------------------------------------- order and length


def order_matters(run: Finished) -> Finding | None:
    """Q1: the error is smaller where the steps stand in their order."""
    tasks = "sines", "text", "counting"
    pair = "gru", "gru_shuffled", "", CHANCE
    return judge(gains(run, {name: (name, *pair) for name in tasks}))


def feed_forward_takes_one_length(run: Finished) -> Finding | None:
    """Q2: a feed-forward network works on one length alone, a recurrent one on any.

    It works on a length if it takes the sequences and guesses better than a constant.
    And a recurrent network needs data: untrained, it is not proved better anywhere.
    """
    rows = task_rows(run, "lengths")
    if rows is None:
        return None
    if rows["seed"].nunique() < SEEDS:
        return Finding(NOT_MEASURED, "too few seeds")
    lengths = rows["slice"].drop_duplicates().tolist()
    works = {
        model: [_works(run, model, length) for length in lengths]
        for model in ("flattened", "padded", "pooled", "gru", "gru_untrained")
    }
    holds = {f"a {m} MLP": sum(works[m]) <= 1 for m in list(works)[:3]}
    holds["a GRU"] = all(works["gru"])
    holds["an untrained GRU"] = not any(works["gru_untrained"])
    told = ", ".join(f"{model} {sum(own)}" for model, own in works.items())
    return by_share(holds, f"of {len(lengths)} lengths, better than a guess on: {told}")


def _works(run: Finished, model: str, length: str) -> bool:
    """Whether a model takes sequences of a length, and is proved to beat a guess."""
    own = gain(run, "lengths", model, part=length)
    return own is not None and own.gap.better


def feed_forward_cannot_order(run: Finished) -> Finding | None:
    """Q3: no feed-forward network tells better than by chance which comes first."""
    models = {"an MLP on all steps": "flattened", "one on their mean": "bag"}
    compared = gains(run, {name: ("before", m) for name, m in models.items()})
    if not compared:
        return None
    recurrent = gains(run, {"a GRU": ("before", "gru")})
    evidence = f"error in points, minus a guess: {describe(compared | recurrent)}"
    return decide({n: negate(own.helps) for n, own in compared.items()}, evidence)


def images_are_no_sequences(run: Finished) -> Finding | None:
    """Q4: read row by row, digits are not told apart, or worse than all at once."""
    cells = {"SimpleRNN": "simple_rnn", "GRU": "gru"}
    chance = gains(run, {n: ("rows_to_class", m) for n, m in cells.items()})
    rest = {n: ("rows_to_class", m, "logistic") for n, m in cells.items()}
    logistic = gains(run, rest)
    if not chance or not logistic:
        return None
    holds = {f"{n} against chance": negate(own.helps) for n, own in chance.items()}
    for name, own in logistic.items():
        holds[f"{name} against logistic regression"] = own.gap.worse
    evidence = f"error in points, read row by row minus guessed: {describe(chance)}; "
    return decide(holds, f"{evidence}minus logistic regression: {describe(logistic)}")


# ---------------------------------------------------------------- inside the update


def tanh_adds_non_linearity(run: Finished) -> Finding | None:
    """Q7: without tanh an RNN is a linear map and cannot tell parity; with it, it can.

    The map is read off a trained network; see `modes.map_difference`.
    """
    pairs = {
        "linear minus chance": ("parity", "linear_rnn"),
        "tanh minus linear": ("parity", "simple_rnn", "linear_rnn"),
    }
    compared = gains(run, pairs)
    if len(compared) < 2:
        return None
    gaps = by_seed(task_rows(run, "parity"), "linear_rnn", metric="map_difference")
    holds = {"a linear network is a linear map": bool((gaps < MAP_EQUAL).all())}
    linear, tanh = (own.helps for own in compared.values())
    holds |= {"it cannot tell parity": negate(linear), "tanh can": tanh}
    told = f"largest distance from a linear map {number(gaps.max())} of the outputs"
    return decide(holds, f"{told}; parity, MSE: {describe(compared)}")


def first_state_is_learned(run: Finished) -> Finding | None:
    """Q13: a first state that is learned lowers the error after so many steps."""
    rows = task_rows(run, "first_state")
    if rows is None:
        return None
    pair = "first_state", "learned_state", "gru_steps"
    steps = rows["slice"].drop_duplicates()
    return judge(gains(run, {f"after {n} steps": (*pair, n) for n in steps}))


def bias_helps(run: Finished) -> Finding | None:
    """Q15: a SimpleRNN with a bias has a smaller error than one without."""
    tasks = {"digits": "rows_to_class", "sines": "sines", "counting": "counting"}
    pair = "simple_rnn", "simple_rnn_no_bias"
    finding = judge(gains(run, {n: (task, *pair) for n, task in tasks.items()}))
    if finding is None:
        return None
    rows = run.table("modes")
    counts = [rows[rows["model"] == m]["parameters"].astype(int).max() for m in pair]
    evidence = f"{finding.evidence}; up to {counts[0]:,} parameters with a bias, "
    evidence += f"{counts[1]:,} without"
    return Finding(finding.verdict, evidence, finding.condition)
