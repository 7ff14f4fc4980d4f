"""Judge claims on layers beside an RNN and after Conv3D, by the runs of `make modes`.

M14 and M15; see `mode_rules` for what counts as a gain. No TensorFlow.
"""

from rnn_tf.claims.mode_rules import describe, gains, task_rows
from rnn_tf.claims.recall_rules import judge
from rnn_tf.claims.verdict import Finding
from rnn_tf.runs.finished import Finished


def conv_after_and_filters(run: Finished) -> Finding | None:
    """M14: Conv1D after a GRU helps; filters find trend, season and spikes.

    It helps against a GRU alone of as many parameters. Filters find what a linear
    readout gets better from trained ones than from random ones.
    """
    tasks = {"sines": "sines_ahead", "planted series": "planted"}
    pairs = {
        f"Conv1D after a GRU on {n}": (task, "conv_after", "gru")
        for n, task in tasks.items()
    }
    for part in ("trend", "season", "spikes"):
        pair = "trained_filters", "random_filters", part
        pairs[f"filters of {part}"] = ("filters", *pair)
    compared = gains(run, pairs)
    if len(compared) < len(pairs):
        return None
    finding = judge(compared)
    before = {
        f"Conv1D before it on {n}": (t, "conv_before", "gru") for n, t in tasks.items()
    }
    told = describe(gains(run, before))
    evidence = (
        f"{finding.evidence}; for comparison {told}" if told else finding.evidence
    )
    return Finding(finding.verdict, evidence, finding.condition)


def flatten_after_conv3d(run: Finished) -> Finding | None:
    """M15: flatten and dense layers after Conv3D beat a guess, and global pooling."""
    rows = task_rows(run, "clips")
    model = "clips_flattened"
    pairs = {"minus a guess": ("clips", model)}
    pairs["minus global pooling"] = ("clips", model, "clips_pooled")
    compared = gains(run, pairs)
    if rows is None or len(compared) < 2:
        return None
    finding = judge(compared)
    count = [
        int(rows[rows["model"] == name]["parameters"].iloc[0])
        for name in (model, "clips_pooled")
    ]
    told = f"{count[0]:,} parameters flattened, {count[1]:,} pooled"
    return Finding(finding.verdict, f"{finding.evidence}; {told}", finding.condition)
