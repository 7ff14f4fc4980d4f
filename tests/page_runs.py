"""Runs and answers for the tests of the report."""

import csv
import io

from matplotlib.figure import Figure

from rnn_tf import files
from rnn_tf.report import page
from rnn_tf.runs import run_folder
from tests.conftest import ROOT, make_run

REFERENCE = ROOT / "results" / "reference"
HOSTILE = "<script>hacked=1</script>"
ANSWERS = """\
claim,source,text,verdict,condition,evidence,runs,commands
S3,quiz,All but the last,refuted,,sketch-20: It is a vector,sketch-20,make stacked
F1,notes,An MLP will do,depends,on sines alone,mlp 2,a; b,make forecast; make video
F2,notes,Weeks help,depends,,At times,,
Q16,cards,Who began,cited,,A book,,
K1,task,A TPU,not measured,,No TPU,,
"""


def finished_run(root, name, model="gru", **info):
    """Write a run with a search, a picture and a table; `name` is its folder."""
    whole = {"config": {"size": "quick"}, "chosen": model}
    path = make_run(root, **whole | info)
    text = (path / "metrics.csv").read_text().replace("gru", model)
    (path / "metrics.csv").write_text(text)
    trial = {"model": model, "phase": "search", "seed": 1}
    rows = [
        trial | {"trial": 1, "status": "completed", "score": 0.3, "hp.units": 16},
        trial | {"trial": 2, "status": "failed", "error": HOSTILE, "hp.units": 32},
        {"model": model, "phase": "final", "parameters": 1234, "seconds": 9.5},
    ]
    files.write_csv(path / "trials.csv", run_folder.TRIALS, rows)
    for stem in ("learning_curves", "search", "hyperparameters"):
        (path / f"{stem}.png").write_bytes(small_png())
    (path / "cost.csv").write_text("model,milliseconds\na,9.5\nb,100\nc,\nd,20\n")
    return path.rename(path.parent / name)


def small_png() -> bytes:
    """Return the bytes of a picture."""
    file = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(file, format="png")
    return file.getvalue()


def write_page(root, reference=None) -> str:
    """Return the page of a folder; `reference` is an empty one by default."""
    if reference is None:
        reference = root / "reference"
        reference.mkdir(exist_ok=True)
    page.main(root, reference)
    return (root / "report.html").read_text(encoding="utf-8")


def made_up_answers(*folders) -> list[dict]:
    """Return five verdicts in place of `answers.refresh`."""
    return list(csv.DictReader(io.StringIO(ANSWERS)))
