"""Judge claims on how language models are trained, by small networks on little text.

L11, L13, L19, L20, L22 and G22. No TensorFlow.
"""

from rnn_tf.claims.comparison import SEEDS, paired
from rnn_tf.claims.language_rules import NETWORKS, table
from rnn_tf.claims.recall_rules import Gain, judge
from rnn_tf.claims.verdict import NOT_MEASURED, Finding, by_share
from rnn_tf.metrics import intervals
from rnn_tf.runs.finished import Finished

LOSSES = {"squared": "squared error", "hinge": "hinge", "absolute": "absolute error"}
LABELS = {
    "case": "a and A",
    "vowel": "vowels",
    "class": "noun classes",
    "kind": "kinds",
}
LEAST = 0.01  # share of tokens, or of bits and errors, that counts as a difference
CALIBRATED = 0.05  # between confidence and accuracy
LARGE, SMALL = "units_128", "units_16"  # networks of little_models.csv
REMEDIES = {"dropout": f"{LARGE}_dropout", "weight decay": f"{LARGE}_decay"}

# ---------------------------------------------------------------- little models


def _little(run: Finished, when: str):
    """Return the small networks of a run after their best epoch, or their last."""
    rows = table(run, "little_models")
    return None if rows is None else rows[rows["when"] == when]


def _column(rows, name: str, column: str):
    """Return a column of the rows of a model: a Series by seed."""
    return rows[rows["model"] == name].set_index("seed")[column].astype(float)


def other_losses_are_wrong(run: Finished) -> Finding | None:
    """L11: with cross-entropy fewer tokens are guessed wrong than with other losses."""
    rows = _little(run, "best")
    if rows is None:
        return None
    first = _column(rows, "first", "wrong")
    tried = {loss: _column(rows, loss, "wrong") for loss in LOSSES}
    gains = {
        f"cross-entropy minus {LOSSES[loss]}": Gain(paired(first, wrong), LEAST)
        for loss, wrong in tried.items()
        if len(wrong) and len(first)
    }
    return judge(gains)


def embedding_helps(run: Finished) -> Finding | None:
    """L22: a network has fewer bits with an embedding than with one-hot vectors."""
    rows = _little(run, "best")
    if rows is None:
        return None
    plain = _column(rows, "one_hot", "bits")
    widths = {"8 numbers": "width_8", "30 numbers": "first"}
    tried = {width: _column(rows, name, "bits") for width, name in widths.items()}
    gains = {
        f"{width} minus one-hot": Gain(paired(bits, plain), LEAST * plain.mean())
        for width, bits in tried.items()
        if len(bits) and len(plain)
    }
    return judge(gains)


def remedies_prevent_overfitting(run: Finished) -> Finding | None:
    """G22: more parameters overfit more, and dropout and weight decay prevent it.

    After the last epoch, the gap between test and training grows with the units; each
    remedy lowers the gap and what test costs.
    """
    rows = _little(run, "last")
    if rows is None or not {LARGE, SMALL} <= set(rows["model"]):
        return None
    names = [name for name in rows["model"].unique() if name.startswith("units")]
    bits = {name: _column(rows, name, "bits") for name in names}
    gaps = {name: own - _column(rows, name, "train_bits") for name, own in bits.items()}
    gains = {"gap of 16 units minus 128": paired(gaps[SMALL], gaps[LARGE])}
    for remedy, name in REMEDIES.items():
        if name in bits:
            gains[f"gap with {remedy}"] = paired(gaps[name], gaps[LARGE])
            gains[f"test with {remedy}"] = paired(bits[name], bits[LARGE])
    least = LEAST * float(bits[LARGE].mean())
    return judge({name: Gain(gap, least) for name, gap in gains.items()})


# ---------------------------------------------------------------- probabilities


def softmax_gives_probabilities(run: Finished) -> Finding | None:
    """L13: a network is right as often as it is sure, at its best epoch and its last.

    By the expected calibration error of the trained networks, and of a large one on
    little text, which overfits.
    """
    trained, little = table(run, "calibration"), table(run, "little_models")
    if trained is None or little is None:
        return None
    errors = {
        NETWORKS.get(model, model): own["error"].astype(float)
        for model, own in trained.groupby("model", sort=False)
    }
    large = little[little["model"] == LARGE]
    for when in ("best", "last"):
        own = large[large["when"] == when]["calibration"].astype(float)
        errors[f"128 units, {when} epoch"] = own
    enough = {name: own for name, own in errors.items() if len(own) >= SEEDS}
    holds = {}
    for name, own in enough.items():
        low, high = intervals.t_interval(own)
        if high < CALIBRATED or low > CALIBRATED:
            holds[name] = bool(high < CALIBRATED)
    told = ", ".join(f"{name} {100 * own.mean():.1f}" for name, own in enough.items())
    evidence = f"confidence is off by so many points: {told}"
    if not holds:
        return Finding(NOT_MEASURED, f"undecided: {evidence}")
    return by_share(holds, evidence)


# ---------------------------------------------------------------- vectors and weights


def embeddings_hold_meaning(run: Finished) -> Finding | None:
    """L20: a token's nearest neighbour is of its group more often than by chance.

    Groups are letters but for their case, or vowels, of a text that has them; noun
    classes and parts of speech of the artificial language.
    """
    rows = table(run, "embeddings")
    if rows is None:
        return None
    gains = {}
    for (label, model), own in rows.groupby(["label", "model"], sort=False):
        own = own.set_index("seed")
        gap = paired(own["shuffled"].astype(float), own["share"].astype(float))
        gains[f"{LABELS[label]}, {NETWORKS.get(model, model)}"] = Gain(gap, LEAST)
    finding = judge(gains)
    if finding is None:
        return None
    evidence = f"neighbours of the group by chance minus measured: {finding.evidence}"
    return Finding(finding.verdict, evidence, finding.condition)


def sharing_generalises(run: Finished) -> Finding | None:
    """L19: weights that all steps share forecast sines better than a set for each."""
    rows = table(run, "weight_sharing")
    if rows is None:
        return None
    gains, sizes = {}, rows.groupby("model")["parameters"].first()
    for examples, own in rows.groupby("examples"):
        shared, each = (
            own[own["model"] == name].set_index("seed")["mse"].astype(float)
            for name in ("shared", "of_each_step")
        )
        least = LEAST * float(each.mean())
        gains[f"{examples:,} sines"] = Gain(paired(shared, each), least)
    finding = judge(gains)
    if finding is None:
        return None
    counts = ", ".join(f"{name} {count:,}" for name, count in sizes.items())
    evidence = f"test MSE, {finding.evidence}; parameters: {counts}"
    return Finding(finding.verdict, evidence, finding.condition)
