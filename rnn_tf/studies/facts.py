"""List the exact claims, each with the function that checks it: `facts.csv`.

| column | what it holds |
| --- | --- |
| claim | its number, as in `answers.csv` |
| case | what was looked at |
| value | a number, a shape without its batch, or whether a call runs |
| confirms | which value would confirm the claim |
| holds | whether the value is such a one |
"""

from collections.abc import Callable

import lazy_loader

from rnn_tf.errors import warn
from rnn_tf.studies import formula_facts, shape_facts, state_facts, tape_facts
from rnn_tf.studies.case import Case

keras = lazy_loader.load("keras")

COLUMNS = "claim case value confirms holds".split()

Check = Callable[[], list[Case]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("S1", shape_facts.input_is_batch_time_features),
    ("S2", shape_facts.output_begins_with_hidden_size),
    ("S3", shape_facts.all_but_the_last_for_sequences),
    ("S4", shape_facts.none_for_vectors),
    ("S5", shape_facts.true_then_false),
    ("S6", shape_facts.any_length),
    ("S7", shape_facts.the_quiz_model),
    ("G7", tape_facts.the_gradient_is_a_product),
    ("G10", formula_facts.clipping_resets),
    ("T8", tape_facts.the_loop_is_unfolded),
    ("T9", tape_facts.all_steps_update_the_weights),
    ("L10", formula_facts.loss_is_summed_cross_entropy),
    ("L12", formula_facts.softmax_sums_to_one),
    ("L14", formula_facts.softmax_picks_the_likeliest),
    ("E5", shape_facts.the_decoder_gives_a_sequence),
    ("P9", state_facts.a_mask_replaces_padding),
    ("M1", state_facts.one_to_one_is_a_mode),
    ("M10", shape_facts.sequences_keep_the_shape),
    ("M11", shape_facts.only_features_are_fixed),
    ("M12", state_facts.no_future_inputs),
    ("Q6", state_facts.the_state_is_the_prediction),
    ("Q8", formula_facts.tanh_normalises),
    ("Q11", state_facts.steps_share_their_weights),
    ("Q12", state_facts.each_step_updates_the_state),
    ("Q14", formula_facts.lstm_has_gates),
    ("D3", tape_facts.accumulation_combines_gpus),
)


def checks() -> dict[str, Check]:
    """Return claim -> its check, for all that this engine can; warn of the others."""
    known = dict(CHECKS)
    if keras.config.backend() != "tensorflow":
        known = {c: f for c, f in CHECKS if f.__module__ != tape_facts.__name__}
        absent = ", ".join(claim for claim, _ in CHECKS if claim not in known)
        warn(f"left out: {absent} are checked by TensorFlow's tape")
    return known


def rows(claims: dict[str, Check]) -> list[dict]:
    """Run checks; return the rows of `facts.csv`."""
    return [
        {
            "claim": claim,
            "case": case.name,
            "value": case.value,
            "confirms": case.confirms,
            "holds": case.holds,
        }
        for claim, check in claims.items()
        for case in check()
    ]
