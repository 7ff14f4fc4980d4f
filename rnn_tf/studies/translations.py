"""Translate parallel text by trained networks, and see what becomes of it.

beams.csv, stopping.csv  how some of the networks decode; see `decoding`
held_out.csv             errors on sentences of kinds that training has not
samples.md               what each model makes of a few test sentences
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_tf.data.splits import Network
from rnn_tf.data.text import pair_batches
from rnn_tf.data.text.pair_batches import Part
from rnn_tf.data.text.parallel import ParallelText
from rnn_tf.data.text.tokens import Tokens
from rnn_tf.metrics import translation as metrics
from rnn_tf.metrics.translation import References, Translations
from rnn_tf.models.translation import Search, Translated, alignment, translate
from rnn_tf.studies import decoding

MARGIN = 10  # tokens that a translation may be longer than any of training
COMPARED, SAMPLES = 300, 10  # test sentences

# ---------------------------------------------------------------- parallel text


@dataclass(frozen=True, eq=False)
class Source:
    """Parallel text in three parts, and what it is written in."""

    text: ParallelText
    tokens: tuple[Tokens, Tokens]  # of sources, of targets
    parts: dict[str, Part]
    tokenize: str  # by sacrebleu, for BLEU

    @property
    def longest(self) -> int:
        """Tokens of the longest target of training, its end among them."""
        return int(self.parts["train"].targets.lengths.max())

    @property
    def limit(self) -> int:
        """Tokens of a translation, at most."""
        return self.longest + MARGIN

    def references(self, part: Part) -> References:
        """Give what is right of a part: words as tokens, else sentences as they are."""
        texts, target = part.pairs.targets, self.tokens[1]
        if target.unit == "word":
            texts = [target.join(target.pieces(text)) for text in texts]
        return References(texts, _by_length(part), self.tokenize)


def _by_length(part: Part) -> list[str]:
    """Name the quarter of the source lengths that each sentence is in."""
    lengths = part.sources.lengths - 1  # without the end
    edges = np.unique(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1]).astype(int))
    place = np.clip(np.searchsorted(edges, lengths, side="left"), 1, None)
    names = {}
    for n in np.unique(place):
        inside = lengths[place == n]
        names[n] = f"{inside.min()}-{inside.max()} tokens"
    return [names[n] for n in place]


# ---------------------------------------------------------------- translation


def search_of(name: str, source: Source, beams: int) -> Search:
    """Choose how a network is searched; one without a stop token goes on to the limit.

    Its limit is the longest target of training, since nothing else ends it.
    """
    if "no_end" in name:
        return Search(source.longest - 1, beams, end=-1)
    return Search(source.limit, beams)


def translated(source: Source, part: Part, network: Network, beams: int) -> Translated:
    """Translate the sources of a part, as the network is searched."""
    search = search_of(network.name, source, beams)
    return translate(network.model, part.sources, search)


def written(source: Source, translations: Translated) -> Translations:
    """Write the best translation of each sentence as text."""
    texts = [source.tokens[1].decode(row) for row in translations.tokens[:, 0]]
    return Translations(texts, translations.stopped[:, 0])


# ---------------------------------------------------------------- what is measured


def rows(
    source: Source, network: Network, beams: int, compared: tuple[int, ...]
) -> dict[str, list[dict]]:
    """Measure how a network decodes some test sentences, and what was held out.

    Args:
        source: what it was trained on.
        network: whose name says how it is searched.
        beams: of the search for what was held out.
        compared: numbers of beams to compare; none for nothing but what was held out.

    Returns:
        name of a table -> its rows for this network.
    """
    tables = {"held_out": held_out_rows(source, network, beams)}
    if compared:
        part, search = source.parts["test"].first(COMPARED), Search(source.limit)
        write, of_model = partial(written, source), (network.model, part.sources)
        references = source.references(part)
        tables["beams"] = decoding.beam_rows(
            *of_model, write, references, search, compared
        )
        tables["stopping"] = [decoding.stopping(*of_model, search)]
    return tables


def held_out_rows(source: Source, network: Network, beams: int) -> list[dict]:
    """Score a network on sentences of kinds that training has not, such as dates."""
    kinds = []
    for kind, pairs in source.text.held_out.items():
        part = pair_batches.part(pairs, source.tokens)
        texts = written(source, translated(source, part, network, beams))
        scored = metrics.scores(texts, source.references(part)).metrics
        whole = {row["metric"]: row["value"] for row in scored if not row["slice"]}
        scores = {name: whole[name] for name in ("exact", "chrf_error")}
        kinds.append({"kind": kind, "n": len(part)} | scores)
    return kinds


def attention(source: Source, network: Network, target: np.ndarray) -> tuple:
    """Follow what a network attends to while it writes the first test sentence.

    Args:
        source: what it was trained on.
        network: an encoder-decoder with attention.
        target: its translation, (tokens,).

    Returns:
        Names of the tokens of the sentence, and of its translation; and the weights
        between them, (target, sentence).
    """
    sentence = source.parts["test"].sources.rows[0]
    sides = zip(source.tokens, (sentence, target), strict=True)
    names = [[known.name(n) for n in numbers] for known, numbers in sides]
    return *names, alignment(network.model, np.array(sentence), target)


def samples_page(source: Source, samples: dict[str, list[str]]) -> str:
    """Write what each model makes of the first test sentences, as Markdown."""
    part = source.parts["test"].first(SAMPLES)
    known = {"source": part.pairs.sources, "right": source.references(part).texts}
    lines = ["# What the models make of it", ""]
    for n in range(len(part)):
        block = [f"{name:<26}{texts[n]}" for name, texts in (known | samples).items()]
        lines += ["```text", *(line.replace("`", "'") for line in block), "```", ""]
    return "\n".join(lines)
