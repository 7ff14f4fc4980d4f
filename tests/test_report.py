"""The report: what it shows, and that a browser shows it."""

import csv
import io
import json
import shutil

import pandas as pd
import pytest
from matplotlib.figure import Figure

from rnn_tf import files
from rnn_tf.claims import answers
from rnn_tf.errors import InputError
from rnn_tf.report import page, run_section
from rnn_tf.runs import run_folder
from tests.conftest import ROOT, make_run, run_python

REFERENCE = ROOT / "results" / "reference"
HOSTILE = "<script>hacked=1</script>"
ANSWERS = """\
claim,source,text,verdict,condition,evidence,runs,commands
S1,quiz,All but the last,refuted,,It is a vector,sketch-20,make stacked
F1,notes,An MLP will do,depends,on sines alone,mlp 2,a; b,make forecast; make video
F2,notes,Weeks help,depends,,At times,,
K1,task,A TPU,not measured,,No TPU,,
"""


def a_run(root, name, model="gru", **info):
    """A finished run with a search, a picture and a table; `name` is its folder."""
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
    (path / "learning_curves.png").write_bytes(png())
    (path / "cost.csv").write_text("model,milliseconds\na,9.5\nb,100\nc,\nd,20\n")
    return path.rename(path.parent / name)


def png() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(file, format="png")
    return file.getvalue()


def made(root, reference=None) -> str:
    """The page of a folder; `reference` is empty by default."""
    if reference is None:
        reference = root / "reference"
        reference.mkdir(exist_ok=True)
    page.main(root, reference)
    return (root / "report.html").read_text(encoding="utf-8")


def test_text_of_a_run_is_text(tmp_path):
    """Would catch a page that runs what stands in a run's files."""
    command = f"python -m made </code>{HOSTILE}"
    path = a_run(tmp_path, "<b>bold", model=HOSTILE, command=command)
    (path / "cost.csv").write_text(f'{HOSTILE},"a"\n1,{HOSTILE}\n')
    page = made(tmp_path)
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
    whole = a_run(tmp_path, "20260101-000000-aaaa")
    broken = a_run(
        tmp_path, "20260102-000000-bbbb", data={"source": "other", "sha256": "2"}
    )
    (broken / file).write_bytes(content.encode("latin-1"))
    page = made(tmp_path)
    said = capsys.readouterr().err
    assert said.startswith(f"left out: {broken} is damaged")
    assert said.count("\n") == 1
    assert f'id="run-{whole.name}"' in page
    assert f'id="run-{broken.name}"' not in page


def test_the_newest_run_on_each_data_is_shown_and_the_others_are_counted(tmp_path):
    for day in (1, 3, 2):
        a_run(tmp_path, f"2026010{day}-000000-aaaa")
    a_run(tmp_path, "20260101-000000-bbbb", data={"source": "mine", "sha256": "2"})
    with pytest.raises(RuntimeError), run_folder.open_run(tmp_path, "made", {}):
        raise RuntimeError
    page = made(tmp_path)
    assert page.count("<article") == 2
    assert 'id="run-20260103-000000-aaaa"' in page
    assert 'id="run-20260101-000000-bbbb"' in page
    assert "2 of made on cta, older" in page
    assert "1 of made, failed" in page
    assert page.count("quick: a few epochs") == 2


def test_reference_runs_are_folded_beside_runs_of_ones_own(tmp_path):
    (tmp_path / "reference").mkdir()
    a_run(tmp_path, "quoted").rename(tmp_path / "reference" / "quoted")
    alone = made(tmp_path)
    assert "0 of your runs and 1 reference runs" in alone
    assert '<details class="runs">' not in alone
    a_run(tmp_path, "20260101-000000-aaaa")
    both = made(tmp_path)
    folded = both.split('<details class="runs">')[1]
    assert 'id="run-quoted"' in folded
    assert 'id="run-20260101-000000-aaaa"' not in folded


def test_what_is_said_of_a_run(tmp_path):
    path = a_run(tmp_path, "20260101-000000-aaaa", dirty=True)
    info = json.loads((path / "config.json").read_text())
    page = made(tmp_path)
    for said in (
        info["commit"][:12] + ", with files that differ from it",
        info["machine"],
        f"tensorflow {info['versions']['tensorflow']}",
        "2 trials of 1 models, 1 failed",
        "1,234",
    ):
        assert said in page, said


def test_no_search_is_a_line(tmp_path):
    path = a_run(tmp_path, "20260101-000000-aaaa")
    (path / "trials.csv").unlink()
    assert "Nothing was searched" in made(tmp_path)


def test_a_run_of_devices_is_its_table(tmp_path):
    """Would catch an answer whose link leads nowhere, because its run has no models."""
    shutil.copytree(REFERENCE / "devices", tmp_path / "reference" / "devices")
    page = made(tmp_path)
    assert 'id="run-devices"' in page
    assert "<td>two workers</td>" in page
    assert "Tuning" not in page


def judged(*folders) -> list[dict]:
    """In place of the real answers."""
    return list(csv.DictReader(io.StringIO(ANSWERS)))


def test_answers_come_first_with_a_count(tmp_path, monkeypatch):
    a_run(tmp_path, "20260101-000000-aaaa")
    monkeypatch.setattr(answers, "refresh", judged)
    page = made(tmp_path)
    assert page.index('id="answers"') < page.index('id="made"')
    assert 'aria-label="4 claims"' in page
    counts = [item.split("</li>")[0] for item in page.split("<li>")]
    for count, verdict in ((1, "refuted"), (2, "depends"), (1, "not measured")):
        said = [item for item in counts if f"</span> {verdict}</span>" in item]
        assert [item[0] for item in said] == [str(count)]
    assert page.count('href="#run-') == 3
    assert "on sines alone" in page


def test_answers_are_those_of_the_runs_there_are(tmp_path):
    """Would catch a page beside newer runs with older verdicts."""
    (tmp_path / "answers.csv").write_text("claim\nS1\n")
    shutil.copytree(REFERENCE / "devices", tmp_path / "reference" / "devices")
    page = made(tmp_path)
    assert 'aria-label="22 claims"' in page
    assert 'href="#run-devices"' in page
    assert len(pd.read_csv(tmp_path / "answers.csv")) == 22


def test_without_runs_the_page_says_what_to_do(tmp_path, capsys):
    page = made(tmp_path)
    assert "No runs yet" in page
    assert "make results" in capsys.readouterr().out


def test_make_report_says_where_the_page_is(tmp_path):
    a_run(tmp_path, "20260101-000000-aaaa")
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
        made(tmp_path)
    assert not list(tmp_path.glob(".*report.html"))


@pytest.mark.parametrize(
    ("text", "shown", "number"),
    [
        ("12705", "12,705", 12705), ("0.00430502", "0.00431", 0.00430502),
        ("1.0", "1", 1), ("-3", "-3", -3), ("nan", "nan", None), ("", "", None),
        ("True", "True", None), ("(None, 128)", "(None, 128)", None),
        ("1e400", "1e400", None),
    ],
)  # fmt: skip
def test_cells(text, shown, number):
    assert run_section.cell(text) == run_section.Cell(shown, number)


def test_lines_stay_in_their_picture_and_0_in_its_middle():
    """Would catch one far worse model that makes dots of all other lines."""
    ends = [(-20, -10, 0), (-5, 5, 15), (900, 1000, 1100)]
    keys = "difference_low", "difference", "difference_high"
    said = "unclear", "unclear", "worse"
    rows = [
        dict(zip(keys, values, strict=True)) | {"verdict": verdict, "mean": values[1]}
        for values, verdict in zip(ends, said, strict=True)
    ]
    near, around, far = run_section.with_lines(rows)
    assert around["line"][1] < 50 < around["line"][0] < around["line"][2] < 100
    assert near["line"][1] < near["line"][0] < near["line"][2] == 50
    assert near["line"][1] == pytest.approx(50 - 50 / 1.05, abs=0.1)
    assert far["line"] == [100, 100, 100]


def test_every_picture_and_table_of_the_reference_runs_has_words():
    """Would catch a new picture whose alt text is its file name."""
    folders = [path.parent for path in REFERENCE.glob("*/config.json")]
    pictures = {path.stem for folder in folders for path in folder.glob("*.png")}
    assert pictures
    assert pictures <= set(run_section.PICTURES)
    every = {path.stem for folder in folders for path in folder.glob("*.csv")}
    assert every - set(run_folder.SCHEMAS) <= set(run_section.TABLES)
    size = sum(path.stat().st_size for f in folders for path in f.glob("*.png"))
    assert size * 4 / 3 < 7e6  # the page stays under about 8 MB


# ---------------------------------------------------------------- in a browser

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
BROWSERS = "chromium", "chromium-browser", "google-chrome"

# The worst contrast of a text with what lies behind it, WCAG 2.
CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && [...element.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && node.data.trim()));
  const found = texts.map((element) => {
    const pair = [light(getComputedStyle(element).color), light(behind(element))];
    const [low, high] = pair.sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), element.outerHTML.slice(0, 200)];
  });
  return [found.length, ...found.sort((a, b) => a[0] - b[0])[0]];
}"""


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; apt-get install chromium")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page of a run of one's own, a hostile one, a real one, and answers."""
    root = tmp_path_factory.mktemp("results")
    a_run(root, "20260101-000000-aaaa")
    a_run(
        root,
        "20260101-000000-bbbb",
        model=HOSTILE,
        data={"source": HOSTILE, "sha256": "2"},
    )
    shutil.copytree(REFERENCE / "sketch-20", root / "reference" / "sketch-20")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "refresh", judged)
        made(root)
    return root / "report.html"


@pytest.fixture
def opened(browser, page_file):
    """Open the page; what the browser complains of or asks for ends up in `said`."""
    contexts, said = [], []

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url[:30]))
        page.goto(page_file.as_uri())
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        return page, said

    yield open_page
    for context in contexts:
        context.close()


def test_the_page_renders_without_errors_and_asks_for_nothing(opened):
    page, said = opened()
    page.wait_for_load_state("networkidle")
    urls = [text for text in said if text.startswith(("file:", "data:"))]
    assert said == urls
    assert page.title() == "RNN experiments: report"
    assert page.locator("article").count() == 3
    assert page.evaluate("window.hacked") is None


def test_the_policy_of_the_page_forbids_scripts_and_the_net(opened):
    """Would catch a policy that a slip in the escaping gets past."""
    page, said = opened()
    page.evaluate(
        "() => { document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.hacked = 1'})); }"
    )
    assert page.evaluate("window.hacked") is None
    reached = "fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused')"
    assert page.evaluate(reached) == "refused"
    assert sum("Content Security Policy" in text for text in said) >= 2


def column(table, number: int) -> list[str]:
    """The texts of a column, top to bottom."""
    return table.locator(f"tbody tr > :nth-child({number})").all_inner_texts()


def test_a_click_sorts_numbers_as_numbers_both_ways(opened):
    """Would catch 100 before 20, and empty cells that come first."""
    page, _ = opened()
    article = page.locator("#run-20260101-000000-aaaa")
    table = article.locator("table", has_text="milliseconds")
    head = table.get_by_role("columnheader", name="milliseconds")
    assert head.get_attribute("aria-sort") is None
    for order, values in (
        ("ascending", ["9.5", "20", "100", ""]),
        ("descending", ["100", "20", "9.5", ""]),
        ("ascending", ["9.5", "20", "100", ""]),
    ):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        assert column(table, 2) == values
    table.get_by_role("button", name="model").click()
    assert head.get_attribute("aria-sort") is None
    assert column(table, 1) == ["a", "b", "c", "d"]


def test_the_table_of_results_sorts_by_keyboard(opened):
    page, _ = opened()
    table = page.locator("#run-sketch-20 table.results")
    head = table.get_by_role("columnheader", name="test error")
    assert head.get_attribute("aria-sort") == "ascending"
    best = column(table, 1)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(table, 1) == best[::-1]
    parameters = table.get_by_role("columnheader", name="parameters")
    parameters.get_by_role("button").focus()
    page.keyboard.press("Space")
    shown = [int(text.replace(",", "")) for text in column(table, 9) if text]
    assert shown == sorted(shown)
    assert column(table, 9)[len(shown) :] == [""] * (len(best) - len(shown))


def test_the_chosen_model_is_marked_and_the_verdicts_are_words(opened):
    page, _ = opened()
    table = page.locator("#run-sketch-20 table.results")
    with (REFERENCE / "sketch-20" / "config.json").open() as file:
        chosen = json.load(file)["chosen"]
    (row,) = table.locator("tr.chosen").all()
    assert row.locator("th").inner_text().startswith(chosen)
    assert "chosen on validation" in row.locator("th").text_content()
    said = [text.split()[-1] for text in column(table, 3)]
    assert set(said) == {"better", "(itself)", "worse"}


def test_every_picture_is_there_and_has_words(opened):
    page, _ = opened()
    pictures = page.evaluate("""async () => {
      const found = [...document.images];
      for (const one of found) { one.loading = "eager"; await one.decode(); }
      return found.map((one) => [one.alt, one.naturalWidth, one.naturalHeight,
        one.getAttribute("width"), one.getAttribute("height")]);
    }""")
    with (REFERENCE / "sketch-20" / "trials.csv").open(newline="") as file:
        assert any(row["phase"] == "search" for row in csv.DictReader(file))
    real = len(list((REFERENCE / "sketch-20").glob("*.png")))
    assert len(pictures) == real + 2 * 1 + 3 * 2  # and two of tuning for each run
    for alt, width, height, *stated in pictures:
        assert len(alt) > 20
        assert width > 0
        assert [str(width), str(height)] == stated


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_the_page_never_scrolls_sideways(opened, width):
    page, _ = opened(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_everything_fits_and_the_dark_stays_off(opened):
    """720 pixels are the width of A4 between its margins."""
    page, _ = opened(viewport={"width": 720, "height": 1000}, color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    page.evaluate("document.querySelector('details.runs')?.setAttribute('open', '')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    style = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(style) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [360, 1280])
def test_text_can_be_read_in_the_light_and_in_the_dark(opened, width):
    """WCAG AA wants a contrast of 4.5, of every text with what is behind it."""
    backgrounds = set()
    for scheme in ("light", "dark"):
        page, _ = opened(color_scheme=scheme, viewport={"width": width, "height": 800})
        count, ratio, text = page.evaluate(CONTRAST)
        assert count > 200
        assert ratio >= 4.5, text
        style = "getComputedStyle(document.body).backgroundColor"
        backgrounds.add(page.evaluate(style))
    assert len(backgrounds) == 2
