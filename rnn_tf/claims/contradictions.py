"""Where the course says both: two statements, who makes them, and the claims on them.

Some are two claims, of which each has its verdict; some are one claim, that one source
makes and another denies. No TensorFlow.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contradiction:
    """Two statements of the course on one thing; `claims` judge them."""

    topic: str
    first: str
    first_source: str
    second: str
    second_source: str
    claims: tuple[str, ...]


CONTRADICTIONS = (
    Contradiction(
        "A deep seq-to-vector network",
        "It returns sequences from no layer.",
        "Assignment 07 Q3",
        "Its first layer of two returns sequences, its last does not.",
        "Assignment 07 Q3, the example",
        ("S4", "S5"),
    ),
    Contradiction(
        "One input, one output",
        "One-to-one is a mode of RNNs, too.",
        "RNN cards",
        "It is none.",
        "notes, Q11",
        ("M1",),
    ),
    Contradiction(
        "Speech recognition",
        "It is many-to-one.",
        "Quiz 4",
        "It is seq-to-seq.",
        "Assignments 07 and 4",
        ("M3",),
    ),
    Contradiction(
        "Music",
        "It is vector-to-sequence.",
        "Quiz 4, Assignment 07, RNN cards",
        "It is sequence-to-vector.",
        "Assignment 4",
        ("M4",),
    ),
    Contradiction(
        "Captions and summaries",
        "They are vector-to-sequence.",
        "Assignment 07; of captions notes and RNN cards, too",
        "They are seq-to-seq.",
        "Assignment 4",
        ("M5",),
    ),
    Contradiction(
        "Convolutions",
        "They are not for sequences.",
        "notes",
        "They read series (Conv1D), and videos (Conv3D).",
        "Assignment 07 Q7, Q8",
        ("M16", "V1"),
    ),
    Contradiction(
        "What cures vanishing gradients",
        "Recurrent weights that begin as the identity.",
        "RNN cards",
        "Only another architecture.",
        "RNN cards, at their end",
        ("G14", "G18"),
    ),
    Contradiction(
        "What initialisation helps against",
        "Vanishing and exploding gradients.",
        "Assignment 07 Q5",
        "Vanishing ones, not exploding ones.",
        "notes, Q15",
        ("G16",),
    ),
    Contradiction(
        "What clipping does past its threshold",
        "It resets gradients to a small number.",
        "RNN cards",
        "It scales them down.",
        "notes",
        ("G10",),
    ),
    Contradiction(
        "Feed-forward networks and time",
        "They cannot model order or time.",
        "notes, Q2, Quiz 4",
        "One of them is the choice for seven days of a series.",
        "Assignment 07 Q4",
        ("Q3", "F1"),
    ),
    Contradiction(
        "What an embedding does to the dimension",
        "It lowers it.",
        "Quiz 4",
        "It takes 10 letters to 30 numbers.",
        "Quiz 4, its model",
        ("L21",),
    ),
    Contradiction(
        "The decoder of the quiz's model",
        "It produces a sequence.",
        "Quiz 4",
        "It is one dense layer on the last state.",
        "Quiz 4, its program",
        ("E5",),
    ),
    Contradiction(
        "What a translation takes",
        "An encoder and a decoder.",
        "Assignment 4 Q2",
        "One network is enough.",
        "RNN cards",
        ("E1",),
    ),
    Contradiction(
        "The bias of a state's update",
        "There is none.",
        "notes",
        "There are two.",
        "Quiz 4, its program",
        ("Q15",),
    ),
)


def side_by_side(rows: list[dict]) -> list[tuple[Contradiction, list[dict]]]:
    """Put each contradiction beside the rows of `answers.csv` on its claims."""
    by_name = {row["claim"]: row for row in rows}
    return [
        (both, [by_name[name] for name in both.claims])
        for both in CONTRADICTIONS
        if by_name.keys() >= set(both.claims)
    ]
