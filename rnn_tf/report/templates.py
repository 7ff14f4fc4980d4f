"""Fill the templates of the pages, each one file that needs and loads nothing.

All text is escaped. A page's policy (Content-Security-Policy) names the hashes of its
style and its script, so that a browser minds no others. No TensorFlow.
"""

import base64
import hashlib
from pathlib import Path

import lazy_loader

from rnn_tf.claims.striking import count_verdicts, outcome
from rnn_tf.metrics import formatting
from rnn_tf.text import printable

jinja2 = lazy_loader.load("jinja2")

HERE = Path(__file__).parent


def fill(template: str, styles: list[str], scripts: list[str], **values) -> str:
    """Fill a template with values, a style and a script.

    Args:
        template: its file in this folder.
        styles: files in this folder that make up `style`.
        scripts: those that make up `script`.
        **values: what the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # What a template writes is no plain str, and stays.
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=jinja2.StrictUndefined,
    )
    functions = formatting.number, sha256, outcome, count_verdicts
    environment.filters |= {function.__name__: function for function in functions}
    texts = {"style": read(styles), "script": read(scripts)}
    return environment.get_template(template).render(texts | values).lstrip()


def read(names: list[str]) -> str:
    """Return the text of files in this folder, one after the other."""
    return "\n" + "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def sha256(text: str) -> str:
    """Hash a script or style as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
