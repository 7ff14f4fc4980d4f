"""The report as HTML: what it shows of which runs, and that text stays text."""

import json
import re
import shutil

import pandas as pd
import pytest
from PIL import Image

from rnn_tf.claims import answers, contradictions, course
from rnn_tf.claims.cited import CITED_CLAIMS
from rnn_tf.claims.contradictions import Contradiction
from rnn_tf.errors import InputError
from rnn_tf.report import page
from rnn_tf.runs import run_folder
from tests.conftest import run_python
from tests.page_runs import (
    HOSTILE,
    REFERENCE,
    finished_run,
    made_up_answers,
    write_page,
)


def test_text_of_a_run_is_text(tmp_path):
    """Would catch a page that runs what stands in a run's files."""
    command = f"python -m made </code>{HOSTILE}"
    path = finished_run(tmp_path, "<b>bold", model=HOSTILE, command=command)
    (path / "cost.csv").write_text(f'{HOSTILE},"a"\n1,{HOSTILE}\n')
    page = write_page(tmp_path)
    assert page.count("<script") == 1
    assert page.count(HOSTILE) == 0
    assert page.count("&lt;script&gt;") >= 5  # name, command, error, head and cell
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", '{"status": '),
        ("config.json", "[]"),
        ("trials.csv", "a,b\n1,2\n"),
        ("metrics.csv", ""),
        ("learning_curves.png", "no picture"),
        ("cost.csv", "\x00\xff"),
    ],
)
def test_a_damaged_run_is_named_and_does_not_hide_the_others(
    tmp_path, capsys, file, content
):
    whole = finished_run(tmp_path, "20260101-000000-aaaa")
    broken = finished_run(
        tmp_path, "20260102-000000-bbbb", data={"source": "other", "sha256": "2"}
    )
    (broken / file).write_bytes(content.encode("latin-1"))
    page = write_page(tmp_path)
    said = capsys.readouterr().err
    assert said.startswith(f"left out: {broken} is damaged")
    assert said.count("\n") == 1
    assert f'id="run-{whole.name}"' in page
    assert f'id="run-{broken.name}"' not in page


def test_the_newest_run_on_each_data_is_shown_and_the_others_are_counted(tmp_path):
    for day in (1, 3, 2):
        finished_run(tmp_path, f"2026010{day}-000000-aaaa")
    finished_run(
        tmp_path, "20260101-000000-bbbb", data={"source": "mine", "sha256": "2"}
    )
    with pytest.raises(RuntimeError), run_folder.open_run(tmp_path, "made", {}):
        raise RuntimeError
    page = write_page(tmp_path)
    assert page.count("<article") == 2
    assert 'id="run-20260103-000000-aaaa"' in page
    assert 'id="run-20260101-000000-bbbb"' in page
    assert "2 of made on cta, older" in page
    assert "1 of made, failed" in page
    assert page.count("quick: a few epochs") == 2


def test_of_many_runs_the_page_shows_the_newest(tmp_path, monkeypatch):
    """Would catch a page of 119 MB: 500 runs on as many series."""
    monkeypatch.setattr(page, "SHOWN", 2)
    for day in (1, 4, 3, 2):
        data = {"source": f"series{day}", "sha256": str(day)}
        finished_run(tmp_path, f"2026010{day}-000000-aaaa", data=data)
    text = write_page(tmp_path)
    assert text.count("<article") == 2
    assert 'id="run-20260104-000000-aaaa"' in text
    assert 'id="run-20260103-000000-aaaa"' in text
    assert "2 of other data, older" in text


def test_reference_runs_are_folded_beside_runs_of_ones_own(tmp_path):
    (tmp_path / "reference").mkdir()
    finished_run(tmp_path, "quoted").rename(tmp_path / "reference" / "quoted")
    alone = write_page(tmp_path)
    assert "these runs measured them: 1 reference run." in alone
    assert '<details class="runs">' not in alone
    finished_run(tmp_path, "20260101-000000-aaaa")
    both = write_page(tmp_path)
    folded = both.split('<details class="runs">')[1]
    assert 'id="run-quoted"' in folded
    assert 'id="run-20260101-000000-aaaa"' not in folded


def test_what_is_said_of_a_run(tmp_path):
    path = finished_run(tmp_path, "20260101-000000-aaaa", dirty=True)
    info = json.loads((path / "config.json").read_text())
    page = write_page(tmp_path)
    for said in (
        info["commit"][:12] + ", with files that differ from it",
        info["machine"],
        f"tensorflow {info['versions']['tensorflow']}",
        "2 trials of 1 models, 1 failed",
        "1,234",
    ):
        assert said in page, said


def test_no_search_is_a_line(tmp_path):
    path = finished_run(tmp_path, "20260101-000000-aaaa")
    (path / "trials.csv").unlink()
    assert "Nothing was searched" in write_page(tmp_path)


def test_a_run_of_devices_is_its_table(tmp_path):
    """Would catch an answer whose link leads nowhere, because its run has no models."""
    shutil.copytree(REFERENCE / "devices", tmp_path / "reference" / "devices")
    page = write_page(tmp_path)
    assert 'id="run-devices"' in page
    assert "<td>two workers</td>" in page
    assert "Tuning" not in page


def test_a_run_of_facts_is_its_table(tmp_path):
    """Would catch exact claims that the page shows without a word on them."""
    shutil.copytree(REFERENCE / "facts", tmp_path / "reference" / "facts")
    page = write_page(tmp_path)
    assert "<h2>facts <span>A shape, a count, an equality</span></h2>" in page
    assert "<td>stateful=True</td>" in page


def test_the_page_begins_with_what_came_out(tmp_path, monkeypatch):
    """Would catch a bar whose words are other numbers, or a claim without a link."""
    finished_run(tmp_path, "20260101-000000-aaaa")
    monkeypatch.setattr(answers, "refresh", made_up_answers)
    page = write_page(tmp_path)
    start = page[page.index('id="start"') : page.index('id="experiments"')]
    assert "5 claims:" in start
    bar, *items = start.split("<li>")
    widths = re.findall(r'class="(\w+)" x="(\d)" width="(\d)"', bar)
    assert widths == [
        ("bad", "0", "1"), ("mixed", "1", "2"), ("told", "3", "1"),
        ("neutral", "4", "1"),
    ]  # fmt: skip
    said = [
        re.search(r"<strong>(\d)</strong>.*</span> ([ \w]+)<", i) for i in items[1:]
    ]
    assert [one.groups() for one in said] == [
        ("1", "refuted"), ("2", "depends"), ("1", "cited"), ("1", "not measured")
    ]  # fmt: skip
    assert start.count("<tr>") == 2, "a head, and the refuted claim"
    assert '<a class="claim" href="#S3">S3</a>' in start


def test_answers_follow_with_links_to_their_runs(tmp_path, monkeypatch):
    finished_run(tmp_path, "20260101-000000-aaaa")
    monkeypatch.setattr(answers, "refresh", made_up_answers)
    page = write_page(tmp_path)
    assert page.index('id="experiments"') < page.index('id="answers"')
    assert page.index('id="answers"') < page.index('id="made"')
    assert page.count('href="#run-') == 3
    assert "on sines alone" in page


def test_contradictions_stand_side_by_side(tmp_path, monkeypatch):
    """Would catch a second statement that is lost, or one beside another's verdict."""
    both = Contradiction("Weeks", "They help.", "notes", "No.", "cards", ("F2", "S3"))
    unknown = Contradiction("Years", "They help.", "notes", "No.", "cards", ("F9",))
    monkeypatch.setattr(contradictions, "CONTRADICTIONS", (both, unknown))
    monkeypatch.setattr(answers, "refresh", made_up_answers)
    finished_run(tmp_path, "20260101-000000-aaaa")
    page = write_page(tmp_path)
    (row,) = page[page.index('id="contradictions"') :].split("<tr>")[2:3]
    words = ["Weeks", "They help.", "notes", "No.", "cards", "#F2", "#S3"]
    places = [row.index(word) for word in words]
    assert places == sorted(places)
    assert "Years" not in page


def test_cards_show_pictures_of_reference_runs(tmp_path):
    """Would catch a card that shows a quick run while there is one to quote."""
    shutil.copytree(REFERENCE / "video-digits", tmp_path / "reference" / "video-digits")
    shutil.copytree(REFERENCE / "facts", tmp_path / "reference" / "facts")
    Image.new("RGB", (1080, 720)).save(
        tmp_path / "reference" / "video-digits" / "clips.png"
    )
    own = finished_run(tmp_path, "20260101-000000-aaaa", experiment="video")
    (own / "learning_curves.png").rename(own / "clips.png")
    page = write_page(tmp_path)
    cards = page[page.index('class="cards"') : page.index('id="answers"')]
    video, facts = cards.split("<li>")[1:]
    assert re.findall(r'<h3><a href="#(\w+)">', cards) == ["video", "facts"]
    (size,) = re.findall(
        r'image/webp;base64,[^"]+" width="(\d+)" height="(\d+)"', video
    )
    assert size == ("720", "480"), "that of the reference run, made smaller"
    assert "<img" not in facts
    assert facts.count('title="') == 12, "its claims stand in place of a picture"


def test_answers_are_those_of_the_runs_there_are(tmp_path):
    """Would catch a page beside newer runs with older verdicts."""
    (tmp_path / "answers.csv").write_text("claim\nS1\n")
    shutil.copytree(REFERENCE / "devices", tmp_path / "reference" / "devices")
    page = write_page(tmp_path)
    count = len(course.CLAIMS) + len(CITED_CLAIMS)
    assert f"<li>{count} claims:</li>" in page
    assert 'href="#run-devices"' in page
    assert len(pd.read_csv(tmp_path / "answers.csv")) == count


def test_without_runs_the_page_says_what_to_do(tmp_path, capsys):
    page = write_page(tmp_path)
    assert "No runs yet" in page
    assert "make results" in capsys.readouterr().out


def test_make_report_says_where_the_page_is(tmp_path):
    finished_run(tmp_path, "20260101-000000-aaaa")
    (tmp_path / "quoted").mkdir()
    options = ["--results", tmp_path, "--reference", tmp_path / "quoted"]
    done = run_python("-m", "rnn_tf.report.page", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "report.html") in done.stdout
    assert "1 of your runs and 0 reference runs" in done.stdout
    absent = run_python("-m", "rnn_tf.report.page", "--results", tmp_path / "absent")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr.count("\n") == 1
    assert "absent is not a folder" in absent.stderr


def test_a_page_that_cannot_be_written_is_bad_input(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match="cannot write to .*directory"):
        write_page(tmp_path)
    assert not list(tmp_path.glob(".*report.html"))
