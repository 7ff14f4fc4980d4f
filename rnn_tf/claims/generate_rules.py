"""Judge the claims on what is written or played from a vector: M4, M5 and M13.

By the runs of `make generate`. Differences are of errors in %, of sentences that are
not exact or tunes that break a rule, paired over the seeds. One way is as good as
another if the interval leaves out that it is `LEAST` worse; worse if it leaves out 0;
anything else is undecided. And it has to beat what needs no network. No TensorFlow.
"""

from dataclasses import dataclass

import lazy_loader

from rnn_tf.claims.comparison import Difference, paired
from rnn_tf.claims.recall_rules import Gain, judge
from rnn_tf.claims.verdict import Finding
from rnn_tf.metrics.formatting import number
from rnn_tf.runs.finished import Finished

pd = lazy_loader.load("pandas")

LEAST = 5.0  # percentage points: a smaller difference counts as none
CHANCE = "random", "unigram", "bigram", "trigram"  # that make tunes without a network


@dataclass(frozen=True)
class Rival:
    """A way that the claim names, against another, and against no network at all."""

    gap: Difference  # of its error minus the other way's
    gain: Gain  # over the best baseline

    @property
    def helps(self) -> bool | None:
        """Whether it is as good as the other, and of use; None if undecided."""
        as_good = self.gap.high < LEAST or (False if self.gap.worse else None)
        both = as_good, self.gain.helps
        return False if False in both else None if None in both else True


# ---------------------------------------------------------------- rows


def _table(run: Finished, name: str, **chosen):
    """Return rows of a table of `make generate`; None if there are none."""
    rows = run.table(name) if run.experiment == "generate" else None
    if rows is None:
        return None
    for column, value in chosen.items():
        rows = rows[rows[column].astype(str) == str(value)]
    return None if rows.empty else rows


def _errors(rows, model: str, share: str):
    """Return 100 minus a share of a model's rows: a Series by seed."""
    return 100 - pd.to_numeric(rows[rows["model"] == model].set_index("seed")[share])


def _best_baseline(rows, share: str) -> str:
    baselines = rows[rows["kind"] == "baseline"]
    return str(baselines.groupby("model")[share].mean().idxmax())


def _has(rows, *models: str) -> bool:
    return rows is not None and set(models) <= set(rows["model"])


def _rival(rows, model: str, other: str, share: str) -> Rival:
    """Compare a model with another, and with the best baseline."""
    own = _errors(rows, model, share)
    baseline = _errors(rows, _best_baseline(rows, share), share)
    gap = paired(own, _errors(rows, other, share))
    return Rival(gap, Gain(paired(own, baseline), LEAST))


def _shares(rows, share: str, *models: str) -> str:
    """Write the mean share of each model that has rows, after its best baseline's."""
    named = [_best_baseline(rows, share), *(m for m in models if _has(rows, m))]
    means = rows.groupby("model")[share].mean()
    return ", ".join(f"{name} {number(means[name])} %" for name in named)


def _with(finding: Finding | None, text: str) -> Finding | None:
    """Put what was measured before the differences of a finding."""
    if finding is None:
        return None
    return Finding(finding.verdict, f"{text}; {finding.evidence}", finding.condition)


# ---------------------------------------------------------------- claims


def music_is_vector_to_sequence(run: Finished) -> Finding | None:
    """M4: from a key comes a tune, as good as one of a network that gives one note.

    That network is played again and again, from the tonic: then it is both.
    """
    rows = _table(run, "tunes", task="tune", temperature=1.0)
    if not _has(rows, "next_note"):
        return None
    ways = {
        "key to tune, fed with its notes": "key_to_tune",
        "key to tune, not fed": "unheard",
    }
    own = {
        name: _rival(rows, model, "next_note", "kept")
        for name, model in ways.items()
        if _has(rows, model)
    }
    text = f"tunes that keep all rules: {_shares(rows, 'kept', *ways.values())}"
    text += f", the next note again and again {_share(rows, 'next_note', 'kept')}"
    single = _table(run, "tunes", task="next", temperature=1.0)
    if _has(single, "next_note"):
        share = _share(single, "next_note", "kept")
        text += f"; one next note keeps them in {share}"
    return _with(judge(own), f"{text}; the first ways minus the next note")


def _share(rows, model: str, share: str) -> str:
    return f"{number(rows[rows['model'] == model][share].mean())} %"


def captions_and_summaries_come_from_a_vector(run: Finished) -> Finding | None:
    """M5: of a vector come as many exact captions and summaries as of a sequence."""
    captions = _table(run, "captions", task="scenes", part="test", digits="")
    summaries = _table(run, "summaries")
    own, texts = {}, []
    for name, rows, pairs in (
        ("captions", captions, {"rows": ("vector", "rows"),
                                "places": ("vector", "attention")}),
        ("summaries", summaries, {"a bag of letters": ("bag", "attention"),
                                  "all letters at once": ("flat", "attention")}),
    ):  # fmt: skip
        pairs = {text: pair for text, pair in pairs.items() if _has(rows, *pair)}
        for text, pair in pairs.items():
            joined = "against" if name == "captions" else "of"
            own[f"{name} {joined} {text}"] = _rival(rows, *pair, "exact")
        if pairs:
            models = dict.fromkeys(model for pair in pairs.values() for model in pair)
            texts.append(f"exact {name}: {_shares(rows, 'exact', *models)}")
    new = _table(run, "captions", task="scenes", part="held_out", digits="")
    if _has(new, "vector"):
        texts.append(f"of new combinations: {_shares(new, 'exact', 'vector', 'rows')}")
    text = f"{'; '.join(texts)}; from a vector minus from a sequence"
    return _with(judge(own), text)


def cut_networks_caption(run: Finished) -> Finding | None:
    """M13: a CNN without its last layer is of more use than with it, or untrained."""
    rows = _table(run, "captions", task="spelled")
    rivals = {
        "against class scores": "scores",
        "against probabilities": "probabilities",
        "against random weights": "random",
    }
    if not _has(rows, "hidden"):
        return None
    hidden = _errors(rows, "hidden", "exact")
    own = {
        name: Gain(paired(hidden, _errors(rows, rival, "exact")), LEAST)
        for name, rival in rivals.items()
        if _has(rows, rival)
    }
    shares = _shares(rows, "exact", "hidden", *rivals.values())
    return _with(judge(own), f"exact names of new digits: {shares}")
