"""Folders that take long to make are whole or absent."""

import pytest

from rnn_tf import files


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
