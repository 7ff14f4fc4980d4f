"""Write the page on which a person draws: one file that needs and loads nothing.

The networks are inside it, see `drawing_networks`. No TensorFlow.
"""

from rnn_tf.report import drawing_networks, templates
from rnn_tf.report.drawing_networks import Network

STYLES = ["drawing_page.css"]
SCRIPTS = ["drawing_networks.js", "drawing_page.js"]


def page(networks: dict[str, Network]) -> str:
    """Fill the template.

    Args:
        networks: `drawing_networks.KINDS` -> a network. Their texts are escaped, and
            the page's policy lets no script or style run but those of this folder.
    """
    credits = [network.about["origin"]["credit"] for network in networks.values()]
    return templates.fill(
        "drawing_page.html.jinja",
        STYLES,
        SCRIPTS,
        parts=[
            (kind, network.page_json(), network.page_numbers())
            for kind, network in networks.items()
        ],
        classes=networks["generator"].about["classes"],
        origins={kind: n.about["origin"] for kind, n in networks.items()},
        scores=drawing_networks.scores,
        credits=list(dict.fromkeys(credits)),
    )
