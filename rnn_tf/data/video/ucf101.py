"""Download UCF101: 13,320 videos, 101 human actions.

Source: Soomro et al., 2012, arXiv:1212.0402.

TensorFlow Datasets downloads, checks and unpacks them. Its own preparation would need
the program ffmpeg and lose which clips come from one film; so the files are read as
they are, by PyAV.
"""

import re
from pathlib import Path

import lazy_loader

from rnn_tf.data import download
from rnn_tf.data.video.lists import Video
from rnn_tf.errors import InputError

requests = lazy_loader.load("requests")

URL = "https://storage.googleapis.com/thumos14_files/UCF101_videos.zip"
COUNT = 13_320
# Films 1 to 7 of each class are the test set of the official split number 1.
TEST = tuple(f"g{film:02}" for film in range(1, 8))
VALIDATION = tuple(f"g{film:02}" for film in range(22, 26))


def folder() -> Path:
    """Return the folder of the videos, beside the other downloads."""
    return download.cache() / "ucf101"


def find(say=print) -> list[Video]:
    """Find all videos; they are downloaded once, and `say` is called before.

    Raises:
        InputError: they could not be downloaded, or some are missing.
    """
    paths = next(filter(_is_whole, map(_list, _unpacked())), None)
    return [_video(path) for path in paths or _download(say)]


def _unpacked() -> list[Path]:
    """List the folders that TFDS has unpacked; it renames each once it is whole.

    One that was killed while it unpacked leaves incomplete.*, and unpacks again.
    """
    folders = (folder() / "extracted").glob("*")
    return [path for path in sorted(folders) if not path.name.startswith("incomplete.")]


def _list(unpacked: Path) -> list[Path]:
    return sorted(unpacked.rglob("v_*_g??_c??.avi"))


def _is_whole(paths: list[Path]) -> bool:
    return len(paths) == len({path.name for path in paths}) == COUNT


def _video(path: Path) -> Video:
    """Take class and film from a name such as v_ApplyEyeMakeup_g08_c01.avi."""
    label, film = re.fullmatch(r"v_(\w+)_(g\d\d)_c\d\d", path.stem).groups()
    return Video(path, label, film)


def _download(say) -> list[Path]:
    """Download and unpack the videos, where they are not there yet; list them."""
    say(
        f"ucf101: downloading 6.96 GB from {URL} to {folder()}, and as much again to "
        "unpack; the program ffmpeg is not needed, PyAV decodes"
    )
    try:
        # TFDS would try for minutes where there is no connection.
        requests.head(URL, timeout=download.TIMEOUT_SECONDS).raise_for_status()
        unpacked = _fetch()
    except Exception as error:  # TFDS has many of its own, for full disks and checksums
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"could not download UCF101 ({reason}); check the connection and the room "
            "on the disk, or give its class folders with --data FOLDER"
        ) from None
    paths = _list(unpacked)
    if not _is_whole(paths):
        raise InputError(
            f"{unpacked} holds {len(paths):,} of {COUNT:,} videos of UCF101; delete "
            "this folder, and it is unpacked again"
        )
    return paths


def _fetch() -> Path:
    """Download and unpack, by TFDS, which has the checksum; return the folder."""
    import tensorflow_datasets as tfds

    builder = tfds.builder("ucf101/ucf101_1", data_dir=folder())
    manager = tfds.download.DownloadManager(
        download_dir=folder(), dataset_name="ucf101", url_infos=builder.url_infos
    )
    return Path(manager.download_and_extract(URL))
