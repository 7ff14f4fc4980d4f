"""Folders that take long to make are whole or absent."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_tf import files
from rnn_tf.errors import DiskError
from tests.conftest import ROOT, run_python


def test_a_folder_is_there_when_it_is_whole(tmp_path):
    folder = tmp_path / "cache" / "made"
    with files.atomic_folder(folder) as made:
        (made / "a").write_text("whole")
        assert not folder.exists()
    assert (folder / "a").read_text() == "whole"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_that_fails_is_not_there(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        files.atomic_folder(tmp_path / "made") as made,
    ):
        (made / "a").write_text("half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_of_two_that_make_it_the_first_one_stays(tmp_path):
    """Would catch a folder that is swapped while another process reads it."""
    folder = tmp_path / "made"
    with files.atomic_folder(folder) as slow:
        with files.atomic_folder(folder) as quick:
            (quick / "a").write_text("quick")
        (slow / "a").write_text("slow")
    assert (folder / "a").read_text() == "quick"
    assert list(tmp_path.iterdir()) == [folder]


def test_what_killed_processes_left_is_removed_and_what_lives_stays(tmp_path):
    """Would catch gigabytes of `.part-` folders that nobody removes, and a conversion
    whose folder another process removes while it is written."""
    with files.atomic_folder(tmp_path / "alive") as alive:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "killed")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        writer.stdout.readline()
        assert len(list(tmp_path.glob(".part-*"))) == 2
        writer.kill()
        writer.wait()
        writer.stdout.close()
        with files.atomic_folder(tmp_path / "next"):
            assert alive.is_dir()
            assert len(list(tmp_path.glob(".part-*"))) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"alive", "next"}


WRITER = """
import sys, time
from pathlib import Path
from rnn_tf import files
with files.atomic_folder(Path(sys.argv[1])) as folder:
    (folder / "points").write_bytes(bytes(1000))
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "a").write_text("cut"),
        lambda folder: (folder / "a").write_text("whole, but other"),
        lambda folder: (folder / "a").unlink(),
        lambda folder: (folder / files.CONTENTS).write_text("{"),
        lambda folder: (folder / files.CONTENTS).write_text("[]"),
        lambda folder: (folder / files.CONTENTS).unlink(),
        lambda folder: shutil.rmtree(folder),
    ],
)
def test_a_damaged_folder_is_known_and_replaced(tmp_path, damage):
    """Would catch a cache that a power cut has damaged and that fails every run."""
    folder = tmp_path / "cache"
    for _ in range(2):
        with files.atomic_folder(folder) as new:
            (new / "a").write_text("whole and sound!")
        assert files.is_whole(folder)
        damage(folder)
        assert not files.is_whole(folder)


def limited(code: str, *arguments, size: int = 4096):
    """Run Python where files may have `size` bytes: a disk that is soon full."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return run_python("-c", code, *arguments, preexec_fn=limit)


FILLS = """
import sys
from pathlib import Path
import numpy as np
from rnn_tf import errors, files
def work():
    folder = Path(sys.argv[1])
    if sys.argv[2] == "file":
        files.write_text(folder / "a.csv", "x" * 9999)
    with files.atomic_folder(folder / "new") as new:
        np.zeros(9999).tofile(new / "points")
raise SystemExit(errors.exit_code(work))
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_full_disk_is_one_line_that_names_the_folder(tmp_path, kind):
    """Would catch "OSError: 3201 requested and 0 written", which names no folder."""
    done = limited(FILLS, tmp_path, kind)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot write to {tmp_path}" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_error_of_a_file_elsewhere_is_not_blamed_on_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError), files.atomic_folder(tmp_path / "new"):
        Path("/there/is/no/such/file").read_bytes()


def test_a_place_below_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DiskError, match=f"cannot write to {tmp_path / 'file'}"),
        files.atomic_folder(tmp_path / "file" / "cache"),
    ):
        pass
