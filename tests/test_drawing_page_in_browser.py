"""The drawing page in a browser, with the networks that ship: hands, pens, keys."""

import json
import math

import pytest

from experiments import draw
from rnn_tf.data.drawings.formats import first_drawings
from tests.browser import CONTRAST, check_policy, listen
from tests.drawing_runs import classifier_run, generator_run

TIMED = 9  # guesses


def ring(x: float, y: float, radius: float, count: int = 24) -> list:
    """Return the points of a circle, as shares of the canvas."""
    angles = [2 * math.pi * n / count - 1.5 for n in range(count + 1)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


FACE = [
    ring(0.5, 0.5, 0.38),
    ring(0.37, 0.4, 0.04, 10),
    ring(0.63, 0.4, 0.04, 10),
    [(0.35, 0.62), (0.42, 0.7), (0.5, 0.72), (0.58, 0.7), (0.65, 0.62)],
]
ICE_CREAM = [
    [(0.3, 0.45), (0.5, 0.95), (0.7, 0.45), (0.3, 0.45)],
    [*ring(0.5, 0.33, 0.2)[14:], *ring(0.5, 0.33, 0.2)[1:14]],
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """The page, as `make draw` writes it."""
    folder = tmp_path_factory.mktemp("results")
    draw.main(results=folder)
    return folder / "draw.html"


@pytest.fixture
def opened(browser, page_file):
    """Open the page; what the browser complains of or asks for ends up in `said`."""
    contexts, said = [], []

    def open_page(file=page_file, **options):
        options = {"viewport": {"width": 1280, "height": 900}} | options
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        listen(page, said)
        page.goto(file.as_uri())
        return page, said

    yield open_page
    for context in contexts:
        context.close()


def places(page, stroke) -> list:
    """Turn shares of the canvas to places in the window."""
    box = page.locator("#canvas").bounding_box()
    return [
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
    ]


def by_mouse(page, strokes) -> None:
    for stroke in strokes:
        first, *rest = places(page, stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for place in rest:
            page.mouse.move(*place)
        page.mouse.up()


def by_finger(page, strokes) -> None:
    session = page.context.new_cdp_session(page)
    for stroke in strokes:
        kind = "touchStart"
        for x, y in places(page, stroke):
            touch = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            session.send("Input.dispatchTouchEvent", touch)
            kind = "touchMove"
        end = {"type": "touchEnd", "touchPoints": []}
        session.send("Input.dispatchTouchEvent", end)


def guesses(page) -> list[str]:
    return page.locator("#guesses .name").all_inner_texts()


def strokes(page) -> int:
    return page.evaluate("strokes.length")


def test_a_face_by_mouse_is_a_face_and_nothing_is_asked_for(opened):
    """Would catch a page that needs the net, or whose guess comes after a click."""
    page, said = opened()
    assert guesses(page) == [""] * 5
    by_mouse(page, FACE[:1])
    after_one = guesses(page)
    assert all(after_one)
    by_mouse(page, FACE[1:])
    assert guesses(page)[0] == "face"
    assert page.get_by_role("status").inner_text().startswith("It looks like: face, ")
    label = page.locator("#canvas").get_attribute("aria-label")
    assert label == "Your drawing, 4 strokes"
    page.wait_for_load_state("networkidle")
    assert said == [text for text in said if text.startswith(("file:", "data:"))]


def test_the_policy_of_the_page_forbids_other_scripts_and_the_net(opened):
    """Would catch a policy that a slip in the escaping gets past."""
    page, said = opened()
    check_policy(page, said)


def test_an_ice_cream_by_finger_on_a_phone(opened):
    """Would catch a finger that scrolls the page in place of drawing."""
    phone = {"width": 360, "height": 740}
    page, _ = opened(viewport=phone, has_touch=True, is_mobile=True)
    by_finger(page, ICE_CREAM)
    assert strokes(page) == 2
    assert page.evaluate("strokes.every((stroke) => stroke.points.length > 3)")
    assert page.evaluate("scrollY") == 0
    assert "ice cream" in guesses(page)[:2]


def test_undo_and_clear_by_button_and_by_key(opened):
    page, _ = opened()
    names = "Undo", "Clear"
    buttons = {name: page.get_by_role("button", name=name) for name in names}
    assert all(button.is_disabled() for button in buttons.values())
    by_mouse(page, FACE)
    first = guesses(page)
    by_mouse(page, [[(0.1, 0.9), (0.9, 0.1)]])
    page.keyboard.press("Control+z")
    assert strokes(page) == 4
    assert guesses(page) == first
    buttons["Undo"].click()
    assert strokes(page) == 3
    buttons["Clear"].click()
    assert strokes(page) == 0
    assert guesses(page) == [""] * 5
    assert page.locator("#hint").is_visible()
    page.mouse.click(*places(page, [(0.5, 0.5)])[0])  # a dot
    assert all(guesses(page))


def test_what_is_saved_is_read_as_it_was_guessed(opened, tmp_path):
    """Would catch a file that `predict` reads as another drawing."""
    page, _ = opened()
    by_mouse(page, [*FACE, [(0.2, 0.2)]])
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename.endswith(".ndjson")
    path = tmp_path / "drawing.ndjson"
    download.value.save_as(path)
    (moves,) = first_drawings(path, 9)
    assert moves.tolist() == page.evaluate("prepare(points())")
    drawing = json.loads(path.read_text())["drawing"]
    times = [time for *_, line in drawing for time in line]
    assert times == sorted(times)


def wait_for_pen(page) -> str:
    """Wait until the generator has drawn; return what the page says then."""
    status = page.locator("#status", has_text="Drawing:")
    status.wait_for(state="hidden", timeout=120_000)
    return page.locator("#status").inner_text()


def test_the_network_draws_stroke_by_stroke_and_hands_interrupt_it(opened):
    """Would catch a picture that is there at once, and a pen that fights the hand's."""
    page, said = opened()
    page.get_by_label("Draw me").select_option(label="face")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.wait_for_timeout(400)
    assert page.locator("#status").inner_text().startswith("Drawing: face")
    seen = page.evaluate("strokes.map((stroke) => stroke.points.length)")
    assert len(seen) < 3
    by_mouse(page, FACE[1:2])
    count = strokes(page)
    page.wait_for_timeout(400)
    assert strokes(page) == count
    assert page.evaluate("strokes.map((stroke) => stroke.hand)")[-1]
    assert not [text for text in said if not text.startswith(("file:", "data:"))]


def test_the_network_finishes_what_was_begun(opened):
    """Would catch a drawing that begins anew, or loses the strokes of the hand."""
    page, said = opened(reduced_motion="reduce")
    by_mouse(page, FACE[:3])
    page.evaluate("Math.random = () => 0.4")  # no end at once
    page.locator("#guesses button").first.click()
    text = wait_for_pen(page)
    assert text.startswith("It looks like: ") or "already" in text
    hands = page.evaluate("strokes.map((stroke) => stroke.hand)")
    assert hands[:3] == [True] * 3
    assert not any(hands[3:])
    inside = "strokes.every((s) => s.points.every((p) => p[0] >= 0 && p[1] <= 1000))"
    assert page.evaluate(inside)
    assert not [text for text in said if not text.startswith(("file:", "data:"))]


def test_keys_alone_have_something_drawn(opened):
    """Would catch a control that Tab does not reach."""
    page, _ = opened(reduced_motion="reduce")
    page.get_by_label("Draw me").focus()
    page.keyboard.type("cactus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "Drawn as: cactus" in wait_for_pen(page)
    assert strokes(page) > 0
    page.get_by_label("Temperature").focus()
    before = float(page.locator("#degrees").inner_text())
    page.keyboard.press("ArrowRight")
    after = float(page.locator("#degrees").inner_text())
    assert after == pytest.approx(before + 0.05)


def test_text_of_a_run_is_text(opened, tmp_path):
    """Would catch the name of a class that closes the data, or becomes an element."""
    runs = classifier_run(tmp_path / "a", "conv_lstm"), generator_run(tmp_path / "b")
    draw.main(*runs, results=tmp_path)
    page, said = opened(tmp_path / "draw.html")
    by_mouse(page, FACE)
    assert page.locator("b").count() == 0
    named = page.evaluate("classifier.classes[1]")
    assert named == "</script><b>dog"
    assert page.locator("#class option").nth(2).inner_text() == named
    assert not [text for text in said if not text.startswith(("file:", "data:"))]


@pytest.mark.parametrize(("slower", "limit"), [(1, 50), (4, 150)])
def test_a_guess_is_there_at_once(opened, slower, limit):
    """Would catch a network that a phone waits for: 4 times slower, 150 ms.

    Counted is the time of the page's own thread: other programs do not slow it.
    """
    page, _ = opened()
    by_mouse(page, [*FACE, *FACE[1:]])
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    session.send("Performance.enable")
    before = thread_time(session)
    for _ in range(TIMED):
        page.evaluate("() => { guessAloud(); show(); }")
    took = 1000 * (thread_time(session) - before) / TIMED
    assert took < limit


def thread_time(session) -> float:
    """Return the seconds that the page's thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(row["value"] for row in metrics if row["name"] == "ThreadTime")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_page_never_scrolls_sideways(opened, width):
    page, _ = opened(viewport={"width": width, "height": 740})
    by_mouse(page, FACE)
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_canvas_buttons_and_guesses_at_once(opened):
    """Would catch guesses below the fold, which no one sees while drawing."""
    page, _ = opened(viewport={"width": 360, "height": 740})
    box = page.locator("#guesses").bounding_box()
    assert box["y"] + box["height"] <= 740


@pytest.mark.parametrize("width", [360, 1280])
def test_text_can_be_read_in_the_light_and_in_the_dark(opened, width):
    """WCAG AA wants a contrast of 4.5, of every text with what is behind it."""
    backgrounds = set()
    for scheme in ("light", "dark"):
        page, _ = opened(color_scheme=scheme, viewport={"width": width, "height": 800})
        by_mouse(page, FACE)
        page.locator("summary").click()
        page.mouse.move(0, 0)
        count, ratio, text = page.evaluate(CONTRAST)
        assert count > 20
        assert ratio >= 4.5, text
        on_bar = page.evaluate(
            """() => [...document.querySelectorAll("li .bar")].map((bar) =>
              getComputedStyle(bar).backgroundColor)"""
        )
        assert len(set(on_bar)) == 2
        style = "getComputedStyle(document.body).backgroundColor"
        backgrounds.add(page.evaluate(style))
    assert len(backgrounds) == 2
