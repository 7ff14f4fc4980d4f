"""Every experiment in a row, the exact claims, the answers, the page: `make results`.

    python -m experiments
    python -m experiments --seeds 5

Options are those that all experiments have. Each run has a folder of its own, and can
be resumed by its experiment.
"""

import sys
from pathlib import Path

from experiments import (
    facts,
    forecast,
    generate,
    gradients,
    language,
    lengths,
    modes,
    sketch,
    stacked,
    translate,
    video,
)
from rnn_tf import config, errors
from rnn_tf.claims import answers
from rnn_tf.config import RunConfig
from rnn_tf.errors import InputError
from rnn_tf.recipe import jobs, progress
from rnn_tf.report import page

MODULES = (
    *(stacked, gradients, lengths, language, translate),
    *(forecast, sketch, generate, video),
)
REFERENCE = Path("results/reference")
NEXT = 'next: make draw, or a series of your own: make forecast ARGS="--data FILE"'


def main(argv: list[str] | None = None) -> None:
    """Run all experiments, and show what came out.

    Raises:
        InputError: an option is wrong; nothing has run then.
    """
    argv = sys.argv[1:] if argv is None else argv
    common = config.parse(RunConfig, {}, argv, name="")  # the options that all have
    if common.resume:
        raise InputError(
            f"--resume {common.resume} goes on with one run; say it to its experiment: "
            f'make forecast ARGS="--resume {common.resume}"'
        )
    configs = [config.parse(m.Config, m.FULL, argv, name="") for m in MODULES]
    runs = sum(options.runs for options in configs)
    with progress.several(runs), jobs.hire(common):
        for module, options in zip(MODULES, configs, strict=True):
            module.run(options)
    facts.main(common.results)
    small = {"results": common.results}
    if any(word.startswith("--seeds") for word in argv):
        small["seeds"] = common.seeds
    modes.run(config.sized(modes.Config, modes.FULL, common.size, **small))
    claims = answers.refresh(common.results, REFERENCE)
    progress.console().print(answers.table(claims, numbers=False))
    page.write(common.results, REFERENCE, claims)
    print(f"of {len(claims)} claims of the course: {answers.counts(claims)}")
    print(NEXT)


if __name__ == "__main__":
    raise SystemExit(errors.exit_code(main))
