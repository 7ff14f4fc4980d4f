"""The tables of the READMEs are those of the reference runs, and links lead somewhere.

`make readme` writes the marked parts of the documents; nothing in them is typed.
"""

import json
import re

import pytest

from rnn_tf.errors import InputError
from rnn_tf.report import readme, reference_tables
from tests.conftest import ROOT

REFERENCE = ROOT / readme.REFERENCE
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in readme.DOCUMENTS}
RUNS = sorted(path.parent.name for path in REFERENCE.glob("*/*.json"))


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_the_generated_parts_are_fresh(name):
    """Would catch a number that was typed, or a table of another run."""
    fresh = readme.fill(TEXTS[name], REFERENCE) == TEXTS[name]
    assert fresh, f"{name} is stale: run `make readme`"


def test_every_part_stands_in_one_document():
    """Would catch a table that lost its markers, and would go stale for ever."""
    marks = re.findall(r"<!-- begin: (\S+) -->", "".join(TEXTS.values()))
    assert sorted(marks) == sorted(readme.PARTS)


def test_only_what_is_between_the_markers_is_written(monkeypatch, tmp_path):
    write = {"a": (".", lambda folder: "new"), "b": ("run", lambda folder: folder.name)}
    monkeypatch.setattr(readme, "PARTS", write)
    text = "1\n<!-- begin: a -->\nold\n<!-- end: a -->\n2\n<!-- begin: b -->\n"
    filled = "1\n<!-- begin: a -->\nnew\n<!-- end: a -->\n2\n<!-- begin: b -->\nrun\n"
    end = "<!-- end: b -->\n3"
    assert readme.fill(text + end, tmp_path) == filled + end
    for broken in (text, text.replace("begin: b", "begin: c") + end):
        with pytest.raises(InputError, match="the part"):
            readme.fill(broken, tmp_path)


def test_what_is_fresh_is_not_written(tmp_path, monkeypatch, capsys):
    """And what is stale is, once."""
    monkeypatch.setattr(readme, "PARTS", {"a": (".", lambda folder: "new")})
    monkeypatch.setattr(readme, "DOCUMENTS", ["page.md"])
    (tmp_path / "page.md").write_text("<!-- begin: a -->\n<!-- end: a -->\n")
    for words in ("brought up to date", "as it was"):
        readme.main(tmp_path)
        assert words in capsys.readouterr().out
    assert "new" in (tmp_path / "page.md").read_text()


@pytest.mark.parametrize(
    "name", [*readme.DOCUMENTS, "results/README.md", "results/log.md"]
)
def test_links_lead_somewhere(name):
    """Would catch a file that was moved."""
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\(\s*([^)\s]+)\)", text)
    inside = [link.split("#")[0] for link in links if not link.startswith("http")]
    missing = [link for link in inside if not ((ROOT / name).parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "name", [*readme.DOCUMENTS, "results/README.md", "results/log.md"]
)
def test_files_that_are_named_are_there(name):
    """Would catch a module or test that was moved, in a document without a link."""
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(r"\b((?:rnn_tf|experiments|benchmarks|tests)/[\w/]+\.py)", text)
    modules = re.findall(r"python -m ((?:rnn_tf|experiments|benchmarks)[\w.]*)", text)
    paths = [module.replace(".", "/") for module in modules]
    missing = [path for path in named if not (ROOT / path).is_file()]
    missing += [
        p for p in paths if not (ROOT / p).exists() | (ROOT / f"{p}.py").exists()
    ]
    assert missing == []


@pytest.mark.parametrize("name", RUNS)
def test_reference_runs_are_whole_and_named(name):
    """Would catch a run of changed files, or one that was cut short."""
    (path,) = (REFERENCE / name).glob("*.json")
    info = json.loads(path.read_text("utf-8"))
    assert info["dirty"] is False
    assert info["commit"][:7] in "".join(TEXTS.values())
    if path.name == "config.json":
        assert info["status"] == "complete"
        assert info["config"].get("seeds", 3) >= 3


@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("forecast")])
def test_the_baseline_in_the_headings_of_the_forecasts_is_the_best(name):
    info = json.loads((REFERENCE / name / "config.json").read_text("utf-8"))
    rival = readme.PARTS[name][3]
    assert info["best_baseline"] == rival.removeprefix("the ").replace(" ", "_")


@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("video")])
def test_the_baseline_in_the_headings_of_the_videos_is_the_best(name):
    info = json.loads((REFERENCE / name / "config.json").read_text("utf-8"))
    assert info["best_baseline"] == "motion_numbers"


PROVED = "It costs accuracy: 1.3 points more of errors. **Convolutions** do find what"
OPEN = "in accuracy is not proved. **Convolutions** do find what"


@pytest.mark.parametrize(
    ("errors", "sentence"), [((8.0, 8.3, 8.6), PROVED), ((7.0, 6.0, 8.6), OPEN)]
)
def test_what_strides_cost_is_said_only_where_it_is_proved(tmp_path, errors, sentence):
    """Would catch a sentence that stays when the run is made again."""
    of = {"conv_lstm": errors, "conv_lstm_stride_1": (6.9, 7.0, 7.1)}
    of["lstm"] = (10, 11, 12)
    lines = ["model,seed,split,metric,slice,value"]
    lines += [
        f"{model},{seed},test,error,,{value}"
        for model, values in of.items()
        for seed, value in enumerate(values, 1)
    ]
    (tmp_path / "metrics.csv").write_text("\n".join(lines))
    costs = "model,milliseconds\nconv_lstm,20\nconv_lstm_stride_1,50\n"
    (tmp_path / "cost.csv").write_text(costs)
    text = " ".join(reference_tables.cheaper(tmp_path).split())
    assert "by a factor of 2.5 at stride 4" in text
    assert sentence in text
