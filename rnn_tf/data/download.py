"""Download files: verified against a checksum, cached, whole or absent."""

import base64
import re
import tarfile
from pathlib import Path, PurePosixPath

import lazy_loader

from rnn_tf.errors import InputError

pooch = lazy_loader.load("pooch")
requests = lazy_loader.load("requests")

TIMEOUT_SECONDS = 30


def cache() -> Path:
    """Return the folder of downloads, in the user's cache folder."""
    return Path(pooch.os_cache("rnn-tf"))


def fetch(url: str, sha256: str, folder: Path | None = None) -> Path:
    """Return the file at `url`, from the cache if it is there and sound.

    Raises:
        InputError: the download failed or its checksum differs; nothing is kept.
    """
    path = (folder or cache()) / PurePosixPath(url).name
    return retrieve(url, f"sha256:{sha256}", path, "--data-dir")


def retrieve(url: str, checksum: str, path: Path, option: str) -> Path:
    """Download `url` to `path`, unless it is there and sound; return `path`.

    Args:
        url: where the file is.
        checksum: such as "sha256:..." or "md5:...", in hexadecimal digits.
        path: where it is kept.
        option: how the user names a folder with a copy, for the error message.

    Raises:
        InputError: the download failed or its checksum differs; nothing is kept.
    """
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS, progressbar=False)
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, checksum, path.name, path.parent, downloader=downloader)
    except (requests.exceptions.RequestException, OSError) as error:
        raise _download_error(url, error, option) from None
    except ValueError:
        kind, _, digits = checksum.partition(":")
        raise InputError(
            f"{url} is not the file it was: its {kind} is not {digits}; nothing was "
            f"kept. Try again, or give a sound copy with {option}"
        ) from None
    return path


def _download_error(url: str, error: Exception, option: str) -> InputError:
    reason = str(error).splitlines()[0][:200]
    return InputError(
        f"could not download {url} ({reason}); check the connection, or fetch the "
        f"file elsewhere and give its folder with {option}"
    )


def checksum_and_size(url: str, option: str) -> tuple[str, int]:
    """Ask Google's storage for the checksum of a file and its size in bytes.

    Several hashes come in one header: crc32c=AAAAAA==, md5=1B2M2Y8AsgTpgAmy7PhCfg==.

    Raises:
        InputError: no answer, no such file, or no MD5 in the answer.
    """
    try:
        answer = requests.head(url, timeout=TIMEOUT_SECONDS, allow_redirects=True)
        answer.raise_for_status()
    except (requests.exceptions.RequestException, OSError) as error:
        raise _download_error(url, error, option) from None
    hashes = answer.headers.get("x-goog-hash", "")
    md5 = re.search(r"\bmd5=([A-Za-z0-9+/]{22}==)", hashes)
    if not md5:
        raise InputError(
            f"{url} comes without an MD5 (x-goog-hash is {hashes[:80]!r}), so it could "
            f"not be checked; fetch it elsewhere and give its folder with {option}"
        )
    checksum = "md5:" + base64.b64decode(md5[1]).hex()
    return checksum, int(answer.headers.get("content-length", 0))


def verify(path: Path, sha256: str) -> Path:
    """Check that `path` is the file with this checksum, and return it.

    Raises:
        InputError: it is absent or differs.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; check --data-dir")
    digest = pooch.file_hash(path)  # reads it in pieces
    if digest != sha256:
        raise InputError(
            f"{path} has the sha256 {digest} and not {sha256}; to use another version, "
            f"give the file itself: --data {path}"
        )
    return path


def member(archive: Path, name: str) -> bytes:
    """Read the file called `name` in a tar archive.

    Nothing is unpacked to disk, so no path in the archive can leave its folder.

    Raises:
        InputError: there is no such file in it.
    """
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isfile() and PurePosixPath(entry.name).name == name:
                return tar.extractfile(entry).read()
    raise InputError(f"{archive} holds no file {name}")
