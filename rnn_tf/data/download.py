"""Downloads: verified against a checksum, cached, whole or absent."""

import hashlib
import tarfile
from pathlib import Path, PurePosixPath

import lazy_loader

from rnn_tf.config import InputError

pooch = lazy_loader.load("pooch")
requests = lazy_loader.load("requests")

TIMEOUT_SECONDS = 30


def cache() -> Path:
    """Where downloads are kept: the user's cache folder."""
    return Path(pooch.os_cache("rnn-tf"))


def fetch(url: str, sha256: str, folder: Path | None = None) -> Path:
    """The file at `url`, from the cache if it is there and sound.

    Raises:
        InputError: the download failed or its checksum differs; nothing is kept.
    """
    name = PurePosixPath(url).name
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS, progressbar=False)
    pooch.get_logger().setLevel("WARNING")
    try:
        found = pooch.retrieve(
            url, f"sha256:{sha256}", name, folder or cache(), downloader=downloader
        )
    except (requests.exceptions.RequestException, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"could not download {url} ({reason}); check the connection, or fetch the "
            "file elsewhere and give its folder with --data-dir"
        ) from None
    except ValueError:
        raise InputError(
            f"{url} is not the file it was: its sha256 is not {sha256}; nothing was "
            "kept. Try again, or give a sound copy with --data-dir"
        ) from None
    return Path(found)


def verify(path: Path, sha256: str) -> Path:
    """`path`, if it is there and is the very file.

    Raises:
        InputError: it is absent or differs.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; check --data-dir")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise InputError(
            f"{path} has the sha256 {found} and not {sha256}; to use another version, "
            f"give the file itself: --data {path}"
        )
    return path


def member(archive: Path, name: str) -> bytes:
    """The contents of the file called `name` in a tar archive.

    Nothing is unpacked to disk, so no path in the archive can leave its folder.

    Raises:
        InputError: there is no such file in it.
    """
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isfile() and PurePosixPath(entry.name).name == name:
                return tar.extractfile(entry).read()
    raise InputError(f"{archive} holds no file {name}")
