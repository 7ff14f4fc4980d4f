"""Run an experiment in parts, and judge all of them in one table: a run of runs.

The parts are runs like any other. Their folders lie in that of the joint run, which
resumes with the first part that is not complete.
"""

import dataclasses
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lazy_loader

from rnn_tf.config import RunConfig, to_json
from rnn_tf.devices import tuner_processes
from rnn_tf.errors import InputError
from rnn_tf.metrics.formatting import number, plain
from rnn_tf.recipe import jobs, progress, recommendation, runner
from rnn_tf.report import summary
from rnn_tf.runs import run_folder
from rnn_tf.runs.finished import Finished, skip_damaged
from rnn_tf.runs.run_folder import FREE, PARTS

pd = lazy_loader.load("pandas")


@dataclass(frozen=True)
class Joint:
    """What is known when all parts are complete; a notebook gets it too."""

    folder: Path
    parts: dict[str, Finished] = field(repr=False)
    tables: dict[str, Any] = field(repr=False)  # DataFrames: CSV files, "summary"
    info: dict = field(repr=False)  # the content of config.json

    @property
    def newest(self) -> Finished:
        """The last part."""
        return list(self.parts.values())[-1]


def run(
    define: Callable,
    config: RunConfig,
    parts: dict[str, RunConfig],
    judge: Callable,
    report: Callable,
    show: Callable,
) -> Joint:
    """Run the parts, one after the other, and print the table of all.

    Args:
        define: `experiment(config)`, as `runner.run` takes it.
        config: of the joint run.
        parts: label -> the options of a part.
        judge: (run, label -> part) -> adds the rows of all, records what the summary
            needs, and returns further tables, name -> rows.
        report: (joint) -> pictures.
        show: (joint, console) -> prints what people want to see last.

    Raises:
        InputError: an option or the data of a part cannot be used, or several processes
            share the work.
    """
    _check_alone(config)
    name, console = define(config).name, progress.console()
    options = to_json(config)
    with (
        run_folder.open_run(config.results, name, options, config.resume) as folder,
        progress.several(len(parts)),
        jobs.hire(config),
    ):
        complete = {}
        for label, options in parts.items():
            complete[label] = _complete(define, options, name, folder.path, label)
        places = {
            k: str(v.folder.relative_to(folder.path)) for k, v in complete.items()
        }
        folder.record(parts=places)
        more = judge(folder, complete)
        rows = {table: rows for table, rows in folder.rows.items() if rows} | more
        tables = {table: pd.DataFrame(rows) for table, rows in rows.items()}
        joint = Joint(folder.path, complete, tables, folder.info)
        report(joint)
    tables["summary"] = summary.refresh(config.results)
    if not console.is_jupyter:
        summary.show(tables["summary"], console, folder.path.name)
    console.print(plain(_sentence(joint)))
    show(joint, console)
    return joint


def _check_alone(config: RunConfig) -> None:
    if config.strategy == "multiworker" or tuner_processes.from_environment():
        raise InputError(
            "this is several runs, and workers in step or the processes of a search "
            "share one run at a time; give each run by itself"
        )


def _complete(
    define: Callable, options: RunConfig, name: str, folder: Path, label: str
) -> Finished:
    """Run a part, unless it is complete; go on with it if it was killed."""
    options = dataclasses.replace(options, results=folder / PARTS, resume=None)
    part, console = find_part(options, name), progress.console()
    if part is None or part.info["status"] != "complete":
        console.print(plain(label, "bold"))
        resumed = dataclasses.replace(options, resume=part and part.name)
        try:
            runner.run(define, resumed, show=False)
        except KeyboardInterrupt:  # without its message: the joint run is to be resumed
            raise KeyboardInterrupt from None
        part = find_part(options, name)
    console.print(plain(f"{label}: {_describe(part)}"))
    return part


def find_part(options: RunConfig, name: str) -> Finished | None:
    """Return the run that has these options, of those in their folder of results."""
    wanted = _fixed(to_json(options))
    for path in sorted((options.results / name).glob("*/config.json")):
        part = skip_damaged(_read, path)
        if part and _fixed(part.info["config"]) == wanted:
            return part
    return None


def _read(path: Path) -> Finished:
    return Finished(path.parent, json.loads(path.read_text(encoding="utf-8")))


def _fixed(options: dict) -> dict:
    """Return the options that a run which goes on keeps."""
    return {name: value for name, value in options.items() if name not in FREE}


def _describe(part: Finished) -> str:
    """Say what a part recommends, and how that did on test."""
    names = part.info["recommended"]["model"], part.info["best_baseline"]
    means = (statistics.fmean(part.scores(name).values()) for name in names)
    own, best = map(number, means)
    return f"recommended is {names[0]}, {own} on test; {names[1]} has {best}"


def _sentence(joint: Joint) -> str:
    """Say what is proved of what each part recommends."""
    names = joint.info["headline"], "recommended", joint.info["best_baseline"]
    verdict = recommendation.on_test(joint.tables["metrics"], *names)
    return f"recommended: in each part what did best on its validation; {verdict}"
