"""Downloads from a real server on this machine: sound ones, and all the others."""

import hashlib
import http.server
import io
import tarfile
import threading

import pytest

from rnn_tf.data import download
from rnn_tf.data.series import ridership
from rnn_tf.data.series.windows import Windows
from rnn_tf.errors import InputError

CONTENT = b"service_date,rail_boardings\n" * 50


@pytest.fixture
def server(tmp_path):
    """Serve `tmp_path/served`; yields its address, the folder and the requests."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):  # noqa: N802, the name is http.server's
            requests.append(self.path)
            if self.path == "/broken":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"half of it")
                return
            super().do_GET()

        def log_message(self, *args): ...

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", folder, requests
    httpd.shutdown()
    httpd.server_close()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_sound_file_is_fetched_once(server, tmp_path):
    url, folder, requests = server
    (folder / "a.bin").write_bytes(CONTENT)
    for _ in range(2):
        path = download.fetch(f"{url}/a.bin", digest(CONTENT), tmp_path / "cache")
        assert path.read_bytes() == CONTENT
    assert requests == ["/a.bin"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a.bin", "is not the file it was"),
        ("absent", "could not download .*--data-dir"),
        ("broken", "could not download|is not the file it was"),
    ],
)
def test_a_bad_download_is_one_line_and_leaves_nothing(server, tmp_path, path, message):
    url, folder, _ = server
    (folder / "a.bin").write_bytes(b"something else")
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match=message) as refused:
        download.fetch(f"{url}/{path}", digest(CONTENT), cache)
    assert "\n" not in str(refused.value)
    assert list(cache.iterdir()) == []


def test_no_server_at_all(tmp_path):
    with pytest.raises(InputError, match="could not download"):
        download.fetch("http://127.0.0.1:9/a", digest(CONTENT), tmp_path)


def archive(name: str, content: bytes) -> bytes:
    """A gzipped tar archive with one file in it."""
    packed, entry = io.BytesIO(), tarfile.TarInfo(name)
    entry.size = len(content)
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def rides() -> bytes:
    """A CSV file like the city's, with two identical rows for one day."""
    import pandas as pd

    days = pd.date_range("2001-01-01", "2021-11-30").strftime("%m/%d/%Y")
    lines = [f"{day},W,1,{1000 + i % 97},2" for i, day in enumerate(days)]
    header = "service_date,day_type,bus,rail_boardings,total_rides"
    return "\n".join([header, lines[5], *lines]).encode()


@pytest.fixture
def city(server, tmp_path, monkeypatch):
    """Let ridership download a small archive from the server on this machine."""
    url, folder, requests = server
    packed = archive(f"datasets/{ridership.CSV}", rides())
    (folder / "ridership.tgz").write_bytes(packed)
    monkeypatch.setattr(ridership, "URL", f"{url}/ridership.tgz")
    monkeypatch.setattr(ridership, "TGZ_SHA256", digest(packed))
    monkeypatch.setattr(ridership, "CSV_SHA256", digest(rides()))
    monkeypatch.setattr(download, "cache", lambda: tmp_path / "cache")
    return requests


def test_ridership_comes_out_of_the_archive_and_then_from_the_cache(city):
    series = ridership.load(None)
    assert (series.name, series.unit) == ("cta", "boardings")
    assert series.notes == ("dropped 1 identical duplicate rows",)
    assert series.values[:3].tolist() == [1000, 1001, 1002]
    ridership.load(None)
    assert len(city) == 1


def test_the_protocol_has_the_windows_it_should_have(city):
    """1,034 to train on, 145 and 208 to score: the numbers everybody compares."""
    series = ridership.load(None)
    cut = Windows(series, ridership.periods(series, 2016), 56, 7)
    counts = [len(cut.origins[split]) for split in ("train", "validation", "test")]
    assert counts == [1034, 145, 208]
    assert str(cut.dates("train")[0]) == "2016-02-26"
    assert str(cut.dates("validation")[0]) == "2019-01-01"
    assert str(cut.dates("test")[0]) == "2019-06-01"
    assert str(cut.dates("test")[-1]) == "2019-12-25"
    long = Windows(series, ridership.periods(series, 2001), 56, 7)
    assert len(long.origins["train"]) == 6574 - 62


def test_a_copy_on_disk_must_be_the_very_file(city, tmp_path):
    with pytest.raises(InputError, match="does not exist; check --data-dir"):
        ridership.load(tmp_path)
    (tmp_path / ridership.CSV).write_bytes(rides())
    assert ridership.load(tmp_path).name == "cta"
    (tmp_path / ridership.CSV).write_bytes(rides() + b"\n12/01/2021,W,1,1,2")
    with pytest.raises(InputError, match="to use another version"):
        ridership.load(tmp_path)
    assert city == []  # nothing was downloaded


def test_an_archive_without_the_file_is_refused(tmp_path):
    path = tmp_path / "a.tgz"
    path.write_bytes(archive("other.csv", b"x"))
    with pytest.raises(InputError, match="holds no file"):
        download.member(path, ridership.CSV)


def test_a_path_in_an_archive_cannot_leave_its_folder(tmp_path):
    path = tmp_path / "inner" / "a.tgz"
    path.parent.mkdir()
    path.write_bytes(archive(f"../../{ridership.CSV}", b"x"))
    assert download.member(path, ridership.CSV) == b"x"
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]
