"""Write the page on which a person draws: one file that needs and loads nothing.

The networks are inside it, see `drawing_networks`. No TensorFlow.
"""

import base64
import hashlib
from pathlib import Path

import lazy_loader

from rnn_tf.report import drawing_networks
from rnn_tf.report.drawing_networks import Network
from rnn_tf.text import printable

jinja2 = lazy_loader.load("jinja2")

HERE = Path(__file__).parent
SCRIPTS = "drawing_networks.js", "drawing_page.js"


def page(networks: dict[str, Network]) -> str:
    """Fill the template.

    Args:
        networks: `drawing_networks.KINDS` -> a network. Their texts are escaped, and
            the page's policy lets no script or style run but those of this folder.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=jinja2.StrictUndefined,
    )
    script = "\n" + "\n".join(_source(name) for name in SCRIPTS)
    style = "\n" + _source("drawing_page.css")
    markup = environment.filters["safe"]
    filled = environment.get_template("drawing_page.html.jinja").render(
        script=markup(script),
        style=markup(style),
        script_sha256=_sha256(script),
        style_sha256=_sha256(style),
        # Data, which a browser does not run, of characters that end no element.
        parts=[
            (kind, markup(network.page_json()), markup(network.page_numbers()))
            for kind, network in networks.items()
        ],
        classes=networks["generator"].about["classes"],
        origins={kind: n.about["origin"] for kind, n in networks.items()},
        scores=drawing_networks.scores,
        credits=list(
            dict.fromkeys(n.about["origin"]["credit"] for n in networks.values())
        ),
    )
    return filled.lstrip()


def _source(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    """Hash a script or style as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
