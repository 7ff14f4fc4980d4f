"""Small pictures for the cards of the page."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from rnn_tf.report.about import EXPERIMENTS, About
from rnn_tf.report.cards import WIDTH, most_telling, thumbnail
from rnn_tf.report.legends import PICTURES
from rnn_tf.report.run_section import Picture


def picture(name: str, width: int, height: int) -> Picture:
    """Make a picture, of two greys, the darker one below."""
    image = Image.new("L", (width, height), 200)
    image.paste(50, (0, height // 2, width, height))
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(name, file.getvalue(), width, height, "words", "caption")


@pytest.mark.parametrize(
    ("width", "height", "small"),
    [(1080, 540, (720, 360)), (360, 180, (360, 180)), (1000, 1000, (720, 720)),
     (1000, 2000, (720, 396))],
)  # fmt: skip
def test_small_pictures_keep_their_shape_and_tall_ones_their_top(width, height, small):
    """Would catch a picture whose stated size is another than its own."""
    made = thumbnail(picture("modes", width, height))
    assert (made.width, made.height) == small
    assert max(small) <= WIDTH
    assert made.source.startswith("data:image/webp;base64,")
    with Image.open(io.BytesIO(made.data)) as image:
        assert (image.format, image.size) == ("WEBP", small)
        dark = image.convert("L").getpixel((5, small[1] - 5)) < 100
    assert dark == (height < 2000)
    assert made.alt == "words"


@pytest.mark.parametrize("kept", [30, 60, 90])
def test_a_damaged_picture_stays_as_it_is(kept):
    """Would catch a page that is not written because one picture was cut off."""
    whole = picture("modes", 400, 300)
    broken = replace(whole, data=whole.data[:kept])
    assert thumbnail(broken) is broken


def test_the_most_telling_picture_of_the_preferred_run_is_chosen():
    first, second = picture("a", 10, 10), picture("a", 20, 20)
    other = picture("b", 30, 30)
    about = About("", "", ("b", "a"))
    assert most_telling(about, [first, other, second]) is other
    assert most_telling(about, [first, second]) is first
    assert most_telling(About("", ""), [first]) is None


def test_pictures_of_cards_are_known():
    """Would catch a name that no experiment gives a picture."""
    wanted = {name for about in EXPERIMENTS.values() for name in about.pictures}
    assert wanted <= set(PICTURES)
