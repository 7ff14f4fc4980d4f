"""How fast it is, side by side with what people would run instead."""

import sys

from rnn_tf.errors import report_ctrl_c

if sys.argv[:1] == ["-m"]:  # while Python looks for the module of `python -m`
    report_ctrl_c()
