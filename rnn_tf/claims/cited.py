"""Claims that no program can check: what was written on them stands in their rows.

No TensorFlow.
"""

from dataclasses import dataclass

from rnn_tf.claims.verdict import CITED


@dataclass(frozen=True)
class CitedClaim:
    """A claim of the course, and the words on it, with their reference."""

    name: str
    source: str
    text: str
    reference: str

    def row(self) -> dict:
        """Return its row of `answers.csv`."""
        return {
            "claim": self.name,
            "source": self.source,
            "text": self.text,
            "verdict": CITED,
            "condition": "",
            "evidence": self.reference,
            "runs": "",
            "commands": "",
        }


CITED_CLAIMS = (
    CitedClaim(
        "M9",
        "RNN cards, Assignment 4",
        "How many inputs and outputs there are fixes what a network is for.",
        "One use takes several counts: M3 to M5 try speech, music, captions and "
        "summaries in two ways each; captions were written from one vector (Vinyals et "
        "al., 2015, Show and Tell, CVPR), and from many (Xu et al., 2015, Show, Attend "
        "and Tell, ICML)",
    ),
    CitedClaim(
        "Q16",
        "RNN cards",
        "Mikolov invented the clipping of gradients.",
        "Mikolov (2012, Statistical Language Models Based on Neural Networks, PhD "
        "thesis, Brno University of Technology) limits the values of gradients; "
        "Pascanu, Mikolov and Bengio (2013, On the difficulty of training recurrent "
        "neural networks, ICML) limit their norm, and refer to the thesis; who did so "
        "first, no run can tell",
    ),
)
