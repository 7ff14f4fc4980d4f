"""The report in a browser: it renders, sorts, fits, and asks the net for nothing."""

import csv
import itertools
import json
import shutil

import pytest

from rnn_tf.claims import answers
from rnn_tf.report.about import EXPERIMENTS
from tests.browser import CONTRAST, check_policy, listen
from tests.page_runs import (
    HOSTILE,
    REFERENCE,
    finished_run,
    made_up_answers,
    write_page,
)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page of a run of one's own, a hostile one, a real one, and answers."""
    root = tmp_path_factory.mktemp("results")
    finished_run(root, "20260101-000000-aaaa", experiment="sketch")
    finished_run(
        root,
        "20260101-000000-bbbb",
        model=HOSTILE,
        data={"source": HOSTILE, "sha256": "2"},
    )
    shutil.copytree(REFERENCE / "sketch-20", root / "reference" / "sketch-20")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "refresh", made_up_answers)
        write_page(root)
    return root / "report.html"


@pytest.fixture
def opened(browser, page_file):
    """Open the page; what the browser complains of or asks for ends up in `said`."""
    contexts, said = [], []

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        listen(page, said)
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
    check_policy(page, said)


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
    verdicts = [text.split()[1] for text in column(table, 3)]  # behind a sign
    assert set(verdicts) == {"better", "(itself)", "worse"}


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
    # And three of each of the two runs of our own, and the small one of the card.
    assert len(pictures) == real + 2 * 3 + 1
    for alt, width, height, *stated in pictures:
        assert len(alt) > 20
        assert width > 0
        assert [str(width), str(height)] == stated


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
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


def test_answers_are_filtered_by_family_and_verdict(opened):
    """Would catch choices that hide the wrong rows, or a link to a hidden answer."""
    page, _ = opened()
    rows = page.locator(".answers tr[data-verdict]")
    family, verdict = (page.locator(".filter select").nth(n) for n in (0, 1))
    total = rows.count()
    shown = ".answers tr[data-verdict]:visible"
    verdict.select_option("refuted")
    verdicts = page.locator(shown).evaluate_all("l => l.map(r => r.dataset.verdict)")
    assert set(verdicts) == {"refuted"}
    assert page.locator(".filter output").inner_text() == (
        f"{len(verdicts)} of {total} claims"
    )
    verdict.select_option("")
    first = rows.first.get_attribute("data-family")
    family.select_option(first)
    families = page.locator(shown).evaluate_all("l => l.map(r => r.dataset.family)")
    assert set(families) == {first}
    hidden = page.locator(".answers tr[data-verdict]:not(:visible)").first
    name = hidden.get_attribute("id")
    page.evaluate(f"location.hash = '{name}'")
    page.wait_for_function(f"document.getElementById('{name}').checkVisibility()")
    assert page.locator(shown).count() == total


def test_a_verdict_at_the_top_shows_its_answers(opened):
    """Would catch a count that leads to other claims than it counted."""
    page, _ = opened()
    page.locator(".counts a", has_text="depends").click()
    shown = page.locator(".answers tr[data-verdict]:visible")
    assert shown.evaluate_all("l => l.map(r => r.id)") == ["F1", "F2"]
    assert page.locator(".filter select").nth(1).input_value() == "depends"
    assert page.locator("#answers h2").evaluate("e => e.getBoundingClientRect().y") < 99
    page.locator(".counts a", has_text="refuted").focus()
    page.keyboard.press("Enter")
    assert shown.evaluate_all("l => l.map(r => r.id)") == ["S3"]


def test_all_of_a_card_leads_to_its_experiment_but_its_claim(opened):
    page, _ = opened()
    card = page.locator(".cards li", has_text="sketch")
    card.locator("img").click(force=True)
    assert page.evaluate("location.hash") == "#sketch"
    card.locator(".claim").click()
    assert page.evaluate("location.hash") == "#K1"


def test_landmarks_and_headings_in_order(opened):
    """Would catch a page through which a screen reader finds no way."""
    page, _ = opened()
    order = "l => l.map(e => e.tagName.toLowerCase())"
    marks = page.locator("body > *:not(script)").evaluate_all(order)
    assert marks == ["header", "nav", "main", "footer"]
    headings = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(order)
    levels = [int(name[1]) for name in headings]
    assert levels.count(1) == 1 == levels[0]
    steps = [later - sooner for sooner, later in itertools.pairwise(levels)]
    assert max(steps) == 1
    for cell in page.locator("main table th:not([aria-hidden])").all():
        assert cell.get_attribute("scope") in ("col", "row", "rowgroup")


def test_the_keyboard_goes_from_the_top_down(opened):
    """Would catch a link that is drawn in one place, and comes next in another."""
    page, _ = opened(viewport={"width": 390, "height": 800})  # one card a row
    places = []
    for _ in range(30):
        page.keyboard.press("Tab")
        places.append(
            page.evaluate("""() => {
          const box = document.activeElement.getBoundingClientRect();
          const nav = document.activeElement.closest("nav") !== null;
          return nav ? -1 : box.top + scrollY;
        }""")
        )
    assert places == sorted(places)
    assert places[-1] > 0


def test_a_printed_page_has_its_pictures(opened):
    """Would catch pictures that wait until somebody scrolls to them, or unfolds."""
    page, _ = opened()
    page.wait_for_load_state("networkidle")
    complete = "[...document.images].map(i => i.complete && i.naturalWidth > 0)"
    loaded = page.evaluate(complete)
    assert loaded and all(loaded)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    folded = page.locator("details.runs img")
    assert folded.count() and not folded.first.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("img:visible").count() == len(loaded)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.slow
def test_the_page_of_all_reference_runs_is_small_and_begins_on_one_screen(
    browser, tmp_path
):
    """Would catch a page of more than 8 MB, or one that a teacher has to scroll."""
    assert len(write_page(tmp_path, REFERENCE).encode()) < 8e6
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((tmp_path / "report.html").as_uri())
    bottom = "e => e.getBoundingClientRect().bottom"
    assert page.locator("table.says").evaluate(bottom) <= 720
    assert page.locator("table.says tbody tr").count() >= 5
    names = page.locator(".cards h3 a").all_inner_texts()
    shown = {json.loads(path.read_text("utf-8"))["experiment"]
             for path in REFERENCE.glob("*/config.json")}  # fmt: skip
    assert names == [name for name in EXPERIMENTS if name in shown]
    assert page.locator(".cards img").count() >= len(names) - 1, "all but facts"
    assert page.locator(".cards .claim").count() == len(names)
    page.close()
