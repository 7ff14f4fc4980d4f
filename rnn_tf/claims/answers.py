"""Judge the course's claims by the runs there are: `make answers`.

Claims are in our own words; the rules in `shape_rules`, `recall_rules` and `rules`
judge them by full-size runs, `exact_rules` by runs of `make facts`. Verdicts:
confirmed; refuted; depends, with the condition; not measured, where there are no rows,
fewer than three seeds, or intervals that hold 0. Runs that disagree give "depends".
What no program can check is cited, see `cited`. No TensorFlow.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnn_tf import config, files
from rnn_tf.claims import (
    fact_rules,
    generate_rules,
    gradient_rules,
    language_rules,
    length_rules,
    little_language_rules,
    mode_layer_rules,
    mode_rules,
    recall_rules,
    rules,
    shape_rules,
    speech_rules,
    translation_rules,
    truncation_rules,
)
from rnn_tf.claims.cited import CITED_CLAIMS
from rnn_tf.claims.exact_rules import exact
from rnn_tf.claims.verdict import (
    CITED,
    CONFIRMED,
    DEPENDS,
    NOT_MEASURED,
    REFUTED,
    VERDICTS,
    Finding,
    Rule,
)
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import plain, plain_table
from rnn_tf.runs import finished
from rnn_tf.runs.finished import Finished, skip_damaged

COLUMNS = "claim source text verdict condition evidence runs commands".split()
HOW_TO_READ = (
    "Differences are of test errors, paired by seed, with 95 % intervals; under 0, the "
    "model named first is better."
)
COLOURS = {
    CONFIRMED: "green",
    REFUTED: "red",
    DEPENDS: "yellow",
    CITED: "cyan",
    NOT_MEASURED: "dim",
}

SHAPES = 'make stacked ARGS="--data sines --size full"'
ADDING = 'make stacked ARGS="--data adding --size full"'
GRADIENTS = 'make gradients ARGS="--size full"'
LANGUAGE = 'make language ARGS="--size full"'
TRANSLATION = 'make translate ARGS="--size full"'
LENGTHS = 'make lengths ARGS="--size full"'
MODES = 'make modes ARGS="--size full"'
GENERATION = 'make generate ARGS="--size full"'
SERIES = 'make forecast ARGS="--data cta --size full"'
DRAWINGS = 'make sketch ARGS="--size full"'
CLIPS = 'make video ARGS="--size full"'
WEIGHTS = 'make video ARGS="--data FOLDER --weights FILE --size full"'
DEVICES = "make devices"
FACTS = "make facts"


@dataclass(frozen=True)
class Claim:
    """A claim of the course, the rule that judges it, and the command to measure it."""

    name: str
    source: str
    rule: Rule
    command: str
    text: str


# What the first letter of a claim's name stands for, in the order of the page.
FAMILIES = {
    "S": "shapes and stacks",
    "Q": "basics",
    "M": "modes",
    "G": "gradients and memory",
    "T": "truncated backpropagation",
    "P": "padding, static and dynamic",
    "L": "language models",
    "E": "encoder-decoders and decoding",
    "F": "forecasts",
    "K": "drawings",
    "V": "videos",
    "D": "devices",
}

# fmt: off
CLAIMS = (
    Claim("S1", "Assignment 07 Q2", shape_rules.input_is_batch_time_features, SHAPES,
          "An RNN layer's input is (batch, time, features)."),
    Claim("S2", "Assignment 07 Q2", shape_rules.output_begins_with_hidden_size, SHAPES,
          "Its output has three axes always: hidden size, batch, time."),
    Claim("S3", "Assignment 07 Q3", shape_rules.all_but_the_last_for_sequences, SHAPES,
          "A deep seq-to-seq RNN returns sequences from all layers but the last."),
    Claim("S4", "Assignment 07 Q3", shape_rules.none_for_vectors, SHAPES,
          "A deep seq-to-vector RNN returns sequences from no layer."),
    Claim("S5", "Assignment 07 Q3", shape_rules.true_then_false, SHAPES,
          "Two layers, True then False: (10, 32) to (10, 64) to (64)."),
    Claim("S6", "Quiz 4, notes", shape_rules.any_length, SHAPES,
          "An RNN takes any length, and its size does not grow with it."),
    Claim("S7", "Quiz 4", shape_rules.quiz_model, SHAPES,
          "The quiz's model: embedding 10 x 30, tanh RNN 30-128, decoder 128-10."),
    Claim("S8", "Quiz 4, Assignment 07", rules.gates_remember, ADDING,
          "LSTM and GRU learn long dependencies better than a plain RNN."),
    Claim("F1", "Assignment 07 Q4", rules.mlp_is_a_good_choice, SERIES,
          "For seven days ahead, an MLP with one hidden layer is a good choice."),
    Claim("F2", "Assignment 07 Q4", rules.one_neuron_for_all_days, SERIES,
          "One output neuron can produce each of the seven days."),
    Claim("F3", "textbook", rules.loss_at_every_step, SERIES,
          "A loss at every step (seq-to-seq) beats seq-to-vector."),
    Claim("F4", "Assignment 07 Q7", rules.conv_before_rnn, SERIES,
          "Conv1D before the RNN smooths noise and helps."),
    Claim("K1", "Assignment 07 Q9", rules.given_program_trains, DRAWINGS,
          "The given program trains a SketchRNN classifier."),
    Claim("K2", "Assignment 07 Q7", rules.strides_cut_cost, DRAWINGS,
          "Conv1D layers cut the recurrent layers' cost by shortening the sequence."),
    Claim("K3", "Assignment 07 Q7", rules.conv_finds_local_patterns, DRAWINGS,
          "Conv1D picks up local patterns."),
    Claim("K4", "Assignment 4 Q5", length_rules.masks_make_padding_harmless, DRAWINGS,
          "Masking makes padding harmless."),
    Claim("V1", "Assignment 07 Q8", rules.classifies(("conv3d",)), CLIPS,
          "A 3D CNN classifies videos."),
    Claim("V2", "Assignment 4 Q3", rules.classifies(("cnn_lstm", "cnn_gru")), CLIPS,
          "A CNN per frame and an RNN over the frames classify videos."),
    Claim("V3", "Assignment 4 Q3", rules.time_is_what_adds, CLIPS,
          "What the RNN adds is that it knows of time."),
    Claim("V4", "RNN cards", rules.pretrained_features, WEIGHTS,
          "A pre-trained CNN without its last layer is a good feature extractor."),
    Claim("D1", "Assignment 4 Q6", rules.same_weights, DEVICES,
          "Replicas that average the gradients of their slices act as one device."),
    Claim("D2", "Assignment 4 Q6", rules.one_device_updates, DEVICES,
          "The update is made on a single GPU."),
    # Gradients on their way back through time, remedies, and what is recalled.
    Claim("G1", "notes", gradient_rules.large_values_explode, GRADIENTS,
          "A largest singular value above 1 makes gradients grow exponentially."),
    Claim("G2", "notes, Q14", gradient_rules.small_values_vanish, GRADIENTS,
          "A largest singular value below 1 makes them shrink exponentially."),
    Claim("G3", "notes, Q14", gradient_rules.larger_values_vanish, GRADIENTS,
          "Singular values above 1 make gradients vanish."),
    Claim("G4", "notes, Q14", fact_rules.softmax_causes_vanishing, GRADIENTS,
          "The softmax at the output causes vanishing gradients."),
    Claim("G5", "notes, Q14", fact_rules.large_rates_cause_vanishing, GRADIENTS,
          "Large learning rates cause vanishing gradients."),
    Claim("G6", "RNN cards, notes", gradient_rules.decay_is_exponential, GRADIENTS,
          "Gradients decay or grow exponentially with layers, and with time steps."),
    Claim("G7", "notes", fact_rules.gradient_is_a_product, GRADIENTS,
          "The gradient is a product of recurrent weights and slopes."),
    Claim("G8", "Assignment 07 Q5, notes", recall_rules.explosions_ruin_training,
          GRADIENTS, "Exploding gradients make training unstable and ruin the model."),
    Claim("G9", "Quiz 4, Assignment 07 Q5", recall_rules.clipping_handles_explosions,
          GRADIENTS, "Clipping handles exploding gradients."),
    Claim("G10", "RNN cards, notes", fact_rules.clipping_resets, GRADIENTS,
          "Past a threshold, clipping resets gradients to a small number."),
    Claim("G11", "Quiz 4, Assignment 07 Q5", recall_rules.clipping_helps_vanishing,
          GRADIENTS, "Clipping helps against vanishing gradients too."),
    Claim("G12", "Quiz 4", gradient_rules.shorter_sequences_help, GRADIENTS,
          "Shorter sequences are a remedy."),
    Claim("G13", "Quiz 4", recall_rules.batch_normalisation_helps, GRADIENTS,
          "Batch normalisation helps against vanishing and exploding gradients."),
    Claim("G14", "RNN cards", gradient_rules.identity_cures, GRADIENTS,
          "Recurrent weights that begin as the identity cure vanishing gradients."),
    Claim("G15", "RNN cards", gradient_rules.relu_cures, GRADIENTS,
          "ReLU cures vanishing gradients, since its slope is 0 or 1."),
    Claim("G16", "Assignment 07 Q5, notes", recall_rules.initialisation_helps,
          GRADIENTS, "Initialisation helps against vanishing and exploding gradients."),
    Claim("G17", "notes, Q15", recall_rules.rates_ease_explosions, GRADIENTS,
          "A higher learning rate eases exploding gradients."),
    Claim("G18", "Quiz 4, notes", gradient_rules.gates_solve_vanishing, GRADIENTS,
          "LSTM and GRU solve vanishing gradients."),
    Claim("G19", "notes, Q20", fact_rules.lstm_replaces, GRADIENTS,
          "LSTM takes softmax's place, trains faster, and without backpropagation."),
    Claim("G20", "notes", recall_rules.plain_rnns_do_short_ones_well, GRADIENTS,
          "Plain RNNs do short dependencies well."),
    Claim("G21", "RNN cards, Assignment 07 Q5", recall_rules.far_back_is_hard_to_reach,
          GRADIENTS, "Information from far back is hard to reach."),
    Claim("L8", "RNN cards", recall_rules.longer_filler_less_recalled, GRADIENTS,
          "The name is recalled less after a longer filler."),
    Claim("L9", "RNN cards", recall_rules.recall_follows_the_gradient, GRADIENTS,
          "It is recalled less because gradients vanish on the way to it."),
    # Truncated backpropagation, and the quiz.
    Claim("T1", "notes, Q15", truncation_rules.truncation_eases_exploding, GRADIENTS,
          "Truncated backpropagation eases exploding gradients."),
    Claim("T2", "notes", truncation_rules.truncation_reduces_computation, GRADIENTS,
          "Truncation reduces computation."),
    Claim("T3", "notes, Q16", truncation_rules.truncation_needs_more_memory, GRADIENTS,
          "Truncation needs more memory."),
    Claim("T4", "notes, Q16", truncation_rules.long_dependencies_are_missed, GRADIENTS,
          "Dependencies longer than the truncation are missed."),
    Claim("T5", "notes, Q16", truncation_rules.short_dependencies_are_lost, GRADIENTS,
          "Truncation stops short dependencies from being learned."),
    Claim("T6", "notes, Q16", truncation_rules.truncated_updates_are_perfect, GRADIENTS,
          "Truncated updates are perfect."),
    Claim("T9", "notes, Q8", fact_rules.all_steps_update, GRADIENTS,
          "The errors of all time steps update the shared weights."),
    Claim("Q5", "notes, Q5, Q19, RNN cards", fact_rules.state_holds_the_past, GRADIENTS,
          "The state holds what was seen before."),
    Claim("Q9", "notes, Q6", gradient_rules.tanh_stops_gradients, GRADIENTS,
          "tanh stops gradients."),
    Claim("Q14", "Assignment 07 Q6, notes", fact_rules.lstm_has_gates, GRADIENTS,
          "An LSTM has input, forget and output gates, and computes what they say."),
    # Language models.
    Claim("T7", "RNN cards", language_rules.chunks_will_do, LANGUAGE,
          "A network can train on chunks of a sequence instead of the whole."),
    Claim("L1", "notes, Q4", language_rules.sees_a_fixed_number, LANGUAGE,
          "An n-gram model sees a fixed number of tokens, a recurrent network more."),
    Claim("L2", "notes, Q4", language_rules.no_distant_dependencies,
          LANGUAGE, "n-grams cannot hold distant dependencies."),
    Claim("L3", "notes", language_rules.tables_become_sparse, LANGUAGE,
          "The table of n-grams becomes huge and sparse."),
    Claim("L4", "notes, RNN cards", language_rules.size_hangs_not_on_length, LANGUAGE,
          "A recurrent network does not grow with what it sees; n-grams do."),
    Claim("L5", "notes, Q4", language_rules.little_data_suffices, LANGUAGE,
          "n-grams need little data: with little, they beat a recurrent network."),
    Claim("L6", "notes, RNN cards", language_rules.networks_beat_ngrams, LANGUAGE,
          "Recurrent language models beat n-grams."),
    Claim("L7", "notes", speech_rules.unigrams_repeat_themselves, LANGUAGE,
          "A model that takes words as independent says the commonest one for ever."),
    Claim("L10", "notes, Q9, RNN cards", language_rules.summed_cross_entropy,
          LANGUAGE, "The loss is cross-entropy, summed over the steps."),
    Claim("L11", "notes, Q9", little_language_rules.other_losses_are_wrong, LANGUAGE,
          "Squared error, hinge and absolute error are wrong losses for next words."),
    Claim("L12", "notes, Q7", language_rules.softmax_sums_to_one, LANGUAGE,
          "Softmax gives non-negative numbers that sum to 1."),
    Claim("L13", "notes, Q7", little_language_rules.softmax_gives_probabilities,
          LANGUAGE, "What softmax gives are probabilities."),
    Claim("L14", "notes, Q7", speech_rules.softmax_always_says_the_same,
          LANGUAGE, "Softmax picks the likeliest word, always the same."),
    Claim("L15", "notes", language_rules.learns_hello, LANGUAGE,
          'An RNN learns to spell "hello".'),
    Claim("L16", "notes, Q10, RNN cards", speech_rules.output_is_fed_back, LANGUAGE,
          "To generate, a network is fed with its own output."),
    Claim("L17", "notes, Q10", speech_rules.one_token_after_another, LANGUAGE,
          "Text comes one token after another, from any prompt, of any length."),
    Claim("L18", "notes", language_rules.feed_forward_cannot_tell, LANGUAGE,
          "A feed-forward network cannot tell a river's bank from one of money."),
    Claim("L19", "notes, Q17", little_language_rules.sharing_generalises, LANGUAGE,
          "Sharing weights over the steps generalises better."),
    Claim("L20", "Quiz 4", little_language_rules.embeddings_hold_meaning, LANGUAGE,
          "Embeddings hold meaning."),
    Claim("L21", "Quiz 4", language_rules.embedding_lowers_the_dimension, LANGUAGE,
          "An embedding lowers the dimension."),
    Claim("L22", "Quiz 4", little_language_rules.embedding_helps, LANGUAGE,
          "An embedding helps a recurrent network."),
    Claim("G22", "Assignment 07 Q5", little_language_rules.remedies_prevent_overfitting,
          LANGUAGE, "Many parameters overfit; dropout and weight decay prevent it."),
    # Encoder-decoders and decoding.
    Claim("E1", "Assignment 4 Q2, RNN cards",
          translation_rules.encoder_decoders_translate_better, TRANSLATION,
          "Encoder-decoders translate better than plain seq-to-seq networks."),
    Claim("E2", "Assignment 4 Q2", translation_rules.only_they_change_lengths,
          TRANSLATION, "Only they give an output of another length than the input."),
    Claim("E3", "Assignment 4 Q2", translation_rules.one_vector_holds_the_input,
          TRANSLATION, "A vector of fixed size holds the whole input."),
    Claim("E4", "Assignment 4 Q2", translation_rules.distant_dependencies_are_easier,
          TRANSLATION, "Encoder-decoders handle distant dependencies better."),
    Claim("E6", "Assignment 4 Q5, RNN cards",
          translation_rules.a_stop_token_frees_lengths, TRANSLATION,
          "A stop token frees the length of outputs from being predicted."),
    Claim("E7", "Assignment 4 Q5", translation_rules.beams_find_better, TRANSLATION,
          "Beam search keeps several sequences, and finds a better output."),
    Claim("E8", "Assignment 4 Q5", translation_rules.beams_allow_lengths, TRANSLATION,
          "Beam search is what allows outputs of several lengths."),
    Claim("E9", "Assignment 4 Q5", translation_rules.length_is_weighed, TRANSLATION,
          "The final choice weighs likelihood and length."),
    Claim("E10", "Assignment 4 Q5", translation_rules.decoding_stops, TRANSLATION,
          "Dynamic decoding stops when all sequences have ended."),
    Claim("M3", "Quiz 4 against Assignments", translation_rules.speech_is_many_to_one,
          TRANSLATION, "Speech recognition is many-to-one."),
    # Lengths, padding, and what loops over time cost.
    Claim("P1", "Assignment 4 Q4", length_rules.dynamic_builds_at_run_time, LENGTHS,
          "dynamic_rnn builds its graph at run time, and gains by unrolling."),
    Claim("P2", "Assignment 4 Q4", length_rules.static_needs_equal_lengths, LENGTHS,
          "static_rnn requires sequences of equal lengths."),
    Claim("P3", "Assignment 4 Q4", length_rules.only_real_lengths_take_memory, LENGTHS,
          "dynamic_rnn allocates memory for real lengths only."),
    Claim("P4", "Assignment 4 Q4", length_rules.dynamic_runs_steps_at_once, LENGTHS,
          "dynamic_rnn runs several time steps at once."),
    Claim("P5", "Assignment 4 Q4", length_rules.dynamic_is_faster, LENGTHS,
          "dynamic_rnn is faster than static_rnn."),
    Claim("P6", "Assignment 4 Q4", length_rules.rows_end_at_their_step, LENGTHS,
          "With sequence_length dynamic_rnn ends each row at its own step."),
    Claim("P7", "Assignment 4 Q4", length_rules.lengths_may_change, LENGTHS,
          "With dynamic_rnn lengths may change between calls, and streams be read."),
    Claim("P8", "Assignment 4 Q5", length_rules.either_end_alike, LENGTHS,
          "Sequences may be padded at either end alike."),
    Claim("P10", "Assignment 4 Q5", length_rules.masking_outputs_suffices, LENGTHS,
          "To mask an RNN's outputs suffices."),
    Claim("P11", "Assignment 4 Q5", length_rules.padding_lets_batches_run_at_once,
          LENGTHS, "Padding lets a batch be computed in parallel."),
    Claim("Q10", "notes, Q12, RNN cards", length_rules.recurrence_is_slow, LENGTHS,
          "Recurrent networks are slow, since they go step by step."),
    # Exact facts: a shape, a count, an equality, which need no training.
    Claim("M1", "RNN cards against notes, Q11", exact("M1"), FACTS,
          "One-to-one is a mode of RNNs, too."),
    Claim("M10", "Assignment 07 Q3", exact("M10"), FACTS,
          "return_sequences=True keeps the input's shape; vectors need more work."),
    Claim("M11", "Assignment 07 Q2", exact("M11"), FACTS,
          "Batch and time may vary, features not; an RNN or a Dense may follow."),
    Claim("M12", "notes, Q12, Q13, Q18, RNN cards", exact("M12"), FACTS,
          "An RNN does not see future inputs, because it reads forward."),
    Claim("E5", "Quiz 4", exact("E5"), FACTS,
          "The decoder of the quiz's model produces a sequence."),
    Claim("Q6", "notes, Q5", exact("Q6"), FACTS,
          "The state is the prediction, and of fixed size."),
    Claim("Q8", "notes, Q6", exact("Q8"), FACTS,
          "tanh normalises its input, to mean 0 and deviation 1, and is positive."),
    Claim("Q11", "notes, Q17, RNN cards", exact("Q11"), FACTS,
          "An RNN has the same weights at each step, and so fewer parameters."),
    Claim("Q12", "notes, Q19", exact("Q12"), FACTS,
          "The state is updated at each step, and reset after each prediction."),
    Claim("P9", "Assignment 4 Q5", exact("P9"), FACTS,
          "A mask takes the place of padding."),
    Claim("T8", "notes, Q8", exact("T8"), FACTS,
          "Backpropagation unfolds the loop, and cuts it to take any length."),
    Claim("D3", "Assignment 4 Q6", exact("D3"), FACTS,
          "Gradient accumulation combines several GPUs."),
    # Ways to use a sequence.
    Claim("M2", "notes, Q11, RNN cards", mode_rules.modes_work, MODES,
          "One-to-many, many-to-one and many-to-many networks work."),
    Claim("M6", "Quiz 4, Assignments, notes", mode_rules.dna_is_many_to_one, MODES,
          "DNA, as documents and videos, takes a many-to-one network."),
    Claim("M7", "Quiz 4", mode_rules.names_are_many_to_many, MODES,
          "Names in a text are a task for a many-to-many network."),
    Claim("M8", "Quiz 4, notes", mode_rules.prices_are_forecast, MODES,
          "Stock prices are forecast by a sequence-to-vector network."),
    Claim("M14", "Assignment 07 Q7", mode_layer_rules.conv_after_and_filters, MODES,
          "Conv1D after the RNN helps too; filters find trend, season and spikes."),
    Claim("M15", "Assignment 07 Q8", mode_layer_rules.flatten_after_conv3d, MODES,
          "After Conv3D layers come flatten and dense layers."),
    Claim("M16", "notes against Assignment 07",
          mode_rules.convolutions_are_not_for_sequences, MODES,
          "Convolutional networks are not for sequences."),
    Claim("Q1", "notes, Q1", mode_rules.order_matters, MODES,
          "In a sequence, order matters."),
    Claim("Q2", "notes, Q2, Q13, Quiz 4", mode_rules.feed_forward_takes_one_length,
          MODES, "Feed-forward networks take one length, recurrent ones learn any."),
    Claim("Q3", "notes, Q2, Quiz 4", mode_rules.feed_forward_cannot_order, MODES,
          "Feed-forward networks cannot model order or time."),
    Claim("Q4", "notes, Q3", mode_rules.images_are_no_sequences, MODES,
          "Images are no sequences."),
    Claim("Q7", "notes, Q6", mode_rules.tanh_adds_non_linearity, MODES,
          "tanh adds non-linearity."),
    Claim("Q13", "RNN cards", mode_rules.first_state_is_learned, MODES,
          "The first state is zeros or learned, and learning it helps."),
    Claim("Q15", "notes against Quiz 4", mode_rules.bias_helps, MODES,
          "The state's update needs a bias."),
    # What is written, or played, from a vector.
    Claim("M4", "Quiz 4, Assignment 07, RNN cards against Assignment 4",
          generate_rules.music_is_vector_to_sequence, GENERATION,
          "Music is vector-to-sequence, not sequence-to-vector."),
    Claim("M5", "Assignment 07, notes, RNN cards against Assignment 4",
          generate_rules.captions_and_summaries_come_from_a_vector, GENERATION,
          "Captions and summaries are vector-to-sequence, not seq-to-seq."),
    Claim("M13", "RNN cards", generate_rules.cut_networks_caption, GENERATION,
          "A CNN with its last layer cut off gives the vector for captions."),
)
# fmt: on


def judge(claim: Claim, runs: list[Finished]) -> dict:
    """Judge one claim; return its row of `answers.csv`.

    Args:
        claim: the claim.
        runs: finished runs; those without rows for it are ignored.
    """
    findings = {run: skip_damaged(_rule(claim, run), run) for run in runs}
    findings = {run: finding for run, finding in findings.items() if finding}
    whole = combine({run.label: finding for run, finding in findings.items()})
    if not findings:
        whole = Finding(
            NOT_MEASURED, f"no full-size run has rows for it: {claim.command}"
        )
    return {
        "claim": claim.name,
        "source": claim.source,
        "text": claim.text,
        "verdict": whole.verdict,
        "condition": whole.condition,
        "evidence": whole.evidence,
        "runs": "; ".join(run.name for run in findings),
        "commands": "; ".join(run.info["command"] for run in findings),
    }


def _rule(claim: Claim, run: Finished) -> Rule:
    """Choose what judges a claim by a run: of `make facts`, the claim's own rows."""
    return exact(claim.name) if run.experiment == "facts" else claim.rule


def combine(findings: dict[str, Finding]) -> Finding:
    """Combine the findings of several runs; where they disagree, it depends."""
    verdicts = {finding.verdict for finding in findings.values()}
    evidence = " | ".join(f"{run}: {f.evidence}" for run, f in findings.items())
    conditions = {finding.condition for finding in findings.values()}
    if len(verdicts) == len(conditions) == 1:
        return Finding(verdicts.pop(), evidence, conditions.pop())
    runs: dict[tuple[str, str], list[str]] = {}
    for run, finding in findings.items():
        runs.setdefault((finding.verdict, finding.condition), []).append(run)
    parts = (_on(some, *of_some) for of_some, some in runs.items())
    return Finding(DEPENDS, evidence, "; ".join(parts))


def _on(runs: list[str], verdict: str, condition: str) -> str:
    """Say the verdict of some runs: in a word, or by what it depends on."""
    names = ", ".join(runs)
    if condition:
        return f"on {names}: {condition.replace('; ', ', ')}"
    return f"{'undecided' if verdict == NOT_MEASURED else verdict} on {names}"


def rows(*folders: Path) -> list[dict]:
    """Return the rows of `answers.csv`, from the runs below some folders."""
    runs = finished.find_runs(*folders)
    judged = [judge(claim, runs) for claim in CLAIMS]
    return judged + [claim.row() for claim in CITED_CLAIMS]


def refresh(root: Path, reference: Path) -> list[dict]:
    """Judge every claim, write `answers.csv` below `root`, return its rows."""
    judged = rows(reference, root)
    files.write_csv(root / "answers.csv", COLUMNS, judged)
    return judged


def table(judged: list[dict], numbers: bool = True) -> Table:
    """Make a table of the rows of `answers.csv`; without `numbers` in short."""
    headings = ["", "verdict", "claim, and what was measured"]
    shown = plain_table("The course's claims, measured", headings)
    shown.show_lines, shown.pad_edge = numbers, False
    shown.columns[-1].overflow = "fold"
    for row in judged:
        verdict = Text(row["verdict"], style=COLOURS[row["verdict"]])
        lines = [plain(row["text"])]
        if row["condition"]:
            lines.append(plain(row["condition"], COLOURS[DEPENDS]))
        if numbers:
            lines.append(plain(row["evidence"], "dim"))
        shown.add_row(row["claim"], verdict, Text("\n").join(lines))
    shown.caption = f"{counts(judged)}. "
    shown.caption += HOW_TO_READ if numbers else "The numbers: make answers."
    return shown


def counts(judged: list[dict]) -> str:
    """Say in words how many claims came to each verdict."""
    numbers = Counter(row["verdict"] for row in judged)
    return ", ".join(f"{numbers[verdict]} {verdict}" for verdict in VERDICTS)


def main(
    results: Path = Path("results"), reference: Path = Path("results/reference")
) -> None:
    """Judge the course's claims by the runs there are; write answers.csv.

    Args:
        results: Folder that holds your run folders, and gets answers.csv.
        reference: Folder of the reference runs, which count too.
    """
    if not results.is_dir():
        raise InputError(f"{results} is not a folder; nothing has run yet")
    with files.disk_errors(results):
        judged = refresh(results, reference)
    Console().print(table(judged))


if __name__ == "__main__":
    raise SystemExit(
        config.program("python -m rnn_tf.claims.answers", sys.argv[1:], main)
    )
