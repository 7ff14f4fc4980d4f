"""Every experiment, the exact claims, the answers, the page: `make results`.

    python -m experiments
    python -m experiments --seeds 5

Options are those that all experiments have. Several experiments run at a time, one for
each core or GPU; at full size `lengths`, whose times are to be quoted, first has the
machine for itself. Each run has a folder of its own, and can be resumed by its
experiment.
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
from rnn_tf.recipe import jobs, progress, side_by_side
from rnn_tf.recipe.side_by_side import Task
from rnn_tf.report import page

# Those that take longest come first: short ones fill the gaps at the end.
MODULES = (
    *(stacked, generate, sketch, gradients, video, lengths),
    *(forecast, modes, language, translate),
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
    tasks = find_tasks(common, argv)
    with jobs.hire(common) as staff:
        in_a_row = staff.here or common.cluster  # whose machines have other disks
        alone = len(tasks) if in_a_row else int(common.size == "full")
        run_in_a_row(tasks[:alone])
        side_by_side.run(staff, tasks[alone:])
    claims = answers.refresh(common.results, REFERENCE)
    progress.console().print(answers.table(claims, numbers=False))
    page.write(common.results, REFERENCE, claims)
    print(f"of {len(claims)} claims of the course: {answers.counts(claims)}")
    print(NEXT)


def find_tasks(common: RunConfig, argv: list[str]) -> list[Task]:
    """List the experiments, in the order in which they begin, with their options.

    At full size `lengths` comes first, to run alone.

    Raises:
        InputError: one of them cannot have an option.
    """
    few = ["--results", str(common.results), "--size", common.size]  # that modes has
    for name in ("seeds", "jobs"):
        if any(word.startswith(f"--{name}") for word in argv):
            few += [f"--{name}", str(getattr(common, name))]
    tasks, modules = [], MODULES
    if common.size == "full":
        modules = sorted(MODULES, key=lambda module: module is not lengths)
    for module in modules:
        words = few if module is modes else argv
        options = config.parse(module.Config, module.FULL, words, name="")
        runs = options.runs if isinstance(options, RunConfig) else 1
        tasks.append(task(module, words, module.run, options, runs))
    words = ["--results", str(common.results)]
    return [*tasks, task(facts, words, facts.main, common.results)]


def task(module, words: list[str], run, options, runs: int = 1) -> Task:
    """Describe one experiment as a task; `words` are what a person would type."""
    name = module.__name__.removeprefix("experiments.")
    return Task(name, ("-m", module.__name__, *words), run, (options,), runs)


def run_in_a_row(tasks: list[Task]) -> None:
    """Run experiments in this process, one after the other."""
    with progress.several(sum(task.runs for task in tasks)):
        for task in tasks:
            task.run(*task.arguments)


if __name__ == "__main__":
    raise SystemExit(errors.exit_code(main))
