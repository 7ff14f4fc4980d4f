"""One file is one experiment; each reads from top to bottom in the same order."""

import sys

from rnn_tf.errors import report_ctrl_c

if sys.argv[:1] == ["-m"]:  # while Python looks for the module of `python -m`
    report_ctrl_c()
