"""The system's Chromium, for the tests of pages."""

import contextlib
import shutil
from collections.abc import Iterator

import pytest

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


@contextlib.contextmanager
def start() -> Iterator:
    """Start it, or skip the tests where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; apt-get install chromium")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


def listen(page, said: list[str]) -> None:
    """Add to `said` what the browser complains of, and what it asks for."""
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url[:30]))


def check_policy(page, said: list[str]) -> None:
    """Check that no script can be added, and that the net is refused, with a word."""
    page.evaluate(
        "() => { document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.hacked = 1'})); }"
    )
    assert page.evaluate("window.hacked") is None
    reached = "fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused')"
    assert page.evaluate(reached) == "refused"
    assert sum("Content Security Policy" in text for text in said) >= 2
