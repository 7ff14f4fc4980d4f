"""Read a Parquet file as rows, its header the first."""

import io
from pathlib import Path

import lazy_loader

from rnn_tf.data.series.cells import plain
from rnn_tf.data.series.header import Rows, unreadable
from rnn_tf.errors import InputError

pd = lazy_loader.load("pandas")

MAGIC = b"PAR1"
MOST = 20_000_000  # cells; as Python's objects, 2 GB


def rows(path: Path, content: bytes) -> Rows:
    """Yield the names of the columns, then each row, numbered from 1.

    Raises:
        InputError: it is damaged, too large, or pyarrow is not there.
    """
    try:
        frame = _frame(path, content)
    except ImportError:
        raise InputError(
            f"{path} is a Parquet file, which pyarrow reads: pip install pyarrow"
        ) from None
    except InputError:
        raise
    except Exception as error:  # damage can raise anything
        raise unreadable(path, error, "Parquet file") from None
    yield 0, list(frame.columns)
    columns = [map(plain, frame[name].astype(object)) for name in frame.columns]
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        yield number, list(row)


def _frame(path: Path, content: bytes):
    """Read the file as a table of pandas; an index that means something is a column."""
    from pyarrow import parquet

    meta = parquet.read_metadata(io.BytesIO(content))
    if (cells := meta.num_rows * meta.num_columns) > MOST:
        raise InputError(
            f"{path} has {cells:,} cells, and {MOST:,} are allowed; keep the columns "
            "and rows of the series alone"
        )
    frame = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = [str(name) for name in frame.columns]
    return frame
