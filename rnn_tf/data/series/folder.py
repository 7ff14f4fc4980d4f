"""List the files of a folder that hold a daily series each."""

from pathlib import Path

from rnn_tf.data.series.layout import Layout
from rnn_tf.errors import InputError
from rnn_tf.text import quote

ENDINGS = ".csv", ".tsv", ".parquet", ".xlsx"  # each also packed by gzip, with .gz


def series_files(folder: Path, layout: Layout) -> dict[str, Path]:
    """Return the files of a folder by the names of their series, sorted.

    Other files are left out, and so are hidden ones: a README may lie there.

    Raises:
        InputError: there are none, or two have one name, or the layout asks for one of
            several series in a file, or the folder cannot be read.
    """
    if layout.series is not None:
        raise InputError(
            f"--series {quote(layout.series)} is for one file of several series, and "
            f"{folder} is a folder; name the file of the series with --data"
        )
    if layout.series_column is not None:
        raise InputError(
            f"--series-column {quote(layout.series_column)} is for one file of several "
            f"series, and {folder} is a folder, in which each file is one; leave it out"
        )
    try:
        paths = sorted(p for p in folder.iterdir() if _is_series(p))
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror})") from None
    if not paths:
        raise InputError(
            f"{folder} has no series: no file in it is named like "
            f"{', '.join(f'NAME{ending}' for ending in ENDINGS)} or NAME.csv.gz"
        )
    files = {}
    for path in paths:
        name = series_name(path)
        if name in files:
            raise InputError(
                f"{folder} has two files of one name, {files[name].name} and "
                f"{path.name}; keep one of them"
            )
        files[name] = path
    return dict(sorted(files.items()))


def series_name(path: Path) -> str:
    """Return the name of a file without its ending, and without that of gzip."""
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.stem


def _is_series(path: Path) -> bool:
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    return ending in ENDINGS and not path.name.startswith(".") and path.is_file()
