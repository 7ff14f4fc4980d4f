"""A stand-in for Google's storage on this machine, and small files to put into it."""

import base64
import contextlib
import hashlib
import http.server
import threading
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

COUNTS = {"train": 5, "valid": 2, "test": 1}  # drawings of a class


@dataclass
class Bucket:
    """Serves a folder and announces its files' hashes as Google's storage does."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)  # as in "HEAD /cat.npz"
    hashes: str = "crc32c=AAAAAA==,md5={md5}"
    cut: int = 0  # bytes that are announced and not sent


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):  # noqa: N802, the name is http.server's
        self._answer()

    def do_GET(self):  # noqa: N802
        content = self._answer()
        self.wfile.write(content[: len(content) - self.server.bucket.cut])

    def _answer(self) -> bytes:
        bucket = self.server.bucket
        bucket.asked.append(f"{self.command} {self.path}")
        path = bucket.folder / urllib.parse.unquote(self.path).lstrip("/")
        content = path.read_bytes() if path.is_file() else b""
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-goog-hash", bucket.hashes.format(md5=md5))
        self.end_headers()
        return content

    def log_message(self, *args): ...


@contextlib.contextmanager
def serve(folder: Path):
    """Yield a Bucket that serves the folder."""
    folder.mkdir(exist_ok=True)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.bucket = Bucket(folder, f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield httpd.bucket
    finally:
        httpd.shutdown()
        httpd.server_close()


def drawing(seed: int, member: str, index: int) -> np.ndarray:
    """int16 (points, 3): no two are alike, and each tells where it is from."""
    rows = np.zeros((2 + index, 3), np.int16)
    rows[0] = seed, list(COUNTS).index(member), 0
    rows[-1] = -seed, index, 1
    return rows


def class_file(path: Path, seed: int, **changed) -> Path:
    """An .npz file of small drawings as sketch-rnn has it; members may be `changed`."""
    members = {}
    for member, count in COUNTS.items():
        drawings = changed.get(member, [drawing(seed, member, i) for i in range(count)])
        members[member] = np.empty(len(drawings), object)
        members[member][:] = drawings
    np.savez_compressed(path, **members)
    return path
