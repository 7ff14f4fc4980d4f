"""Say what each experiment asks, for the page; in the order of the page.

No TensorFlow.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What an experiment asks and does, and its most telling pictures, best first."""

    question: str
    text: str
    pictures: tuple[str, ...] = ()


EXPERIMENTS = {
    "stacked": About(
        "Which layers return sequences, and what depth buys",
        "The course says that a deep seq-to-seq network returns sequences from all "
        "layers but the last, and a deep seq-to-vector network from none. Keras "
        "itself answers: every combination is built and tried. Then stacks of each "
        "depth and cell forecast the next value of a series, and on the adding "
        "problem (the sum of two marked numbers among many) each cell shows over how "
        "many steps it remembers.",
        ("error_by_length", "error_by_depth"),
    ),
    "modes": About(
        "Ways to use a sequence",
        "The course says which tasks are one-to-many, many-to-one and many-to-many, "
        "what feed-forward networks cannot do, and what order, tanh, a bias and a "
        "learned first state are for. Each is a small task, of which it is known what "
        "a network has to see, beside the best guess that looks at nothing.",
        ("modes",),
    ),
    "gradients": About(
        "What vanishes, what explodes, what helps",
        "The course says that gradients vanish or explode on their way back through "
        "time, and lists remedies. Each is one change to the same network, over the "
        "same seeds, on the adding problem and on stories: how many runs diverge, and "
        "what error is left. The stories end on a name that was told up to hundreds "
        "of words before, and each cell shows over how many it recalls it.",
        ("gradient_norms", "recall_by_distance", "remedies"),
    ),
    "lengths": About(
        "Padding, masks, and what a loop over time costs",
        "The course says what dynamic_rnn gains, that padding may stand at either "
        "end, and that masks make it harmless. Its own functions, of TensorFlow 1, "
        "are timed beside what people use now, each in a process of its own; rows of "
        "a mixed batch are compared with the same rows alone; and networks recall the "
        "first of many symbols with padding in front or behind.",
        ("padding_errors", "waste", "step_costs"),
    ),
    "language": About(
        "The next character or word",
        "The course says that n-grams see too little and become too large, and that "
        "recurrent networks do better. So both guess the next token of a text, and "
        "are paid for by bits per character. The text of the quick runs is of a small "
        "artificial language, in which a verb agrees with a subject far before it, "
        "and whose entropy no model can go below.",
        ("agreement", "sizes", "context", "orders"),
    ),
    "translate": About(
        "A sequence into another",
        "The course says why a translation takes an encoder and a decoder, a stop "
        "token, and a search with beams. So networks with an output per step, with "
        "outputs after the input, with two parts, and with attention have the same "
        "number of updates on dates, on words to reverse or to double, and on "
        "sentences; and what each decoding finds is counted.",
        ("alignment", "lengths", "beams"),
    ),
    "forecast": About(
        "The next seven days of a daily series",
        "The course says that for seven days ahead an MLP with one hidden layer is a "
        "good choice. So it stands in the table, beside recurrent networks, the same "
        "networks as ensembles, and forecasts that need no training, such as the "
        "median of the last four same weekdays.",
        ("next_days", "forecasts", "error_by_day"),
    ),
    "sketch": About(
        "What is drawn, stroke by stroke",
        "The course answers with a program: a convolution and two LSTMs that read the "
        "pen's strokes, padding included. It stands in the table with the least "
        "change that makes it run, beside the network of the textbook and networks "
        "that mind the padding. Baselines are the most frequent class and a bag of "
        "points, which knows of no order.",
        ("drawings", "confusion"),
    ),
    "generate": About(
        "Drawings, captions and tunes from a vector",
        "A network is told a class and draws, point by point, by being given its own "
        "points back. It is sketch-rnn's decoder, and is paid for by nats per point, "
        "beside one normal distribution and counts of which step follows which. What "
        "it draws is shown to classifiers at several temperatures, and drawings that "
        "are near a training drawing are counted. Others describe scenes, sum up "
        "letters and play tunes, from a vector and from a sequence.",
        ("drawn", "captions", "tunes"),
    ),
    "video": About(
        "What a short clip shows",
        "The course answers twice: with a CNN per frame and an RNN over the frames, "
        "and with a 3D CNN. Whether it is time that they add shows beside the same "
        "CNN whose scores are averaged over the frames, and the same networks on "
        "frames in random order.",
        ("clips", "confusion"),
    ),
    "devices": About(
        "Do several devices train as one?",
        "The same GRU from the same weights on the same batches, on one device, two "
        "replicas, and two workers. Each takes a slice of the batch, and their "
        "gradients are averaged. Compared are the weights that they end with, over "
        "all copies.",
        ("bench-scaling",),
    ),
    "facts": About(
        "A shape, a count, an equality",
        "Claims that need no training: a small function checks each. A value stands "
        "beside what would confirm the claim, which was written down before; the code "
        "of each check is in the run's facts.md.",
    ),
}
