"""Folders of videos: which files there are, of which class, and in which part."""

import os
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.video.folder import (
    choose_classes,
    describe_left_out,
    find_videos,
    split_by_group,
)
from rnn_tf.data.video.lists import Video
from rnn_tf.errors import InputError

# ------------------------------------------------------------------- which files


@pytest.fixture
def folder(tmp_path):
    """Two classes of empty files; nothing is decoded while files are found."""
    for name in ("run/a.mp4", "run/b.AVI", "sit/c.webm", "sit/.d.mp4", "sit/note.txt"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "set"


def listed(folder, text, group=None, encoding="utf-8"):
    (folder / "clips.csv").write_bytes(text.encode(encoding))
    return find_videos(folder, group)


def test_class_folders_are_the_classes(folder):
    videos = [(video.path.name, video.label) for video in find_videos(folder)]
    assert videos == [("a.mp4", "run"), ("b.AVI", "run"), ("c.webm", "sit")]


def test_clips_csv_says_class_and_group(folder):
    text = "file,class,day\nrun/a.mp4,fast,1\nsit/c.webm,slow,2\n"
    videos = listed(folder, "\ufeff" + text, "day")
    assert [(v.path.name, v.label, v.group) for v in videos] == [
        ("a.mp4", "fast", "1"), ("c.webm", "slow", "2"),
    ]  # fmt: skip
    assert [v.group for v in listed(folder, text)] == ["run/a.mp4", "sit/c.webm"]


@pytest.mark.parametrize(
    ("text", "group", "message"),
    [
        ("file,label\nrun/a.mp4,x\n", None, "no column 'class' among file, label"),
        ("file,class\nrun/a.mp4,x\n", "day", "no column 'day' among file, class"),
        ("", None, "no column 'file'"),
        ("file,class\n", None, "lists no file"),
        ("file,class\nrun/z.mp4,x\n", None, "line 2: .*no file 'run/z.mp4'"),
        ("file,class\n../a.mp4,x\n", None, "line 2: '../a.mp4' leaves the folder"),
        ("file,class\nrun/../../a,x\n", None, "leaves the folder"),
        ("file,class\n/etc/passwd,x\n", None, "leaves the folder"),
        ("file,class\nrun/a.mp4,\n", None, "line 2: class is empty"),
        ("file,class\nrun/a.mp4\n", None, "line 2: class is empty"),
        ("file,class\nrun/a.mp4,x\nrun/a.mp4,y\n", None, "lists a.mp4 twice"),
        ("file,class,class\nrun/a.mp4,x,y\n", None, "has 2 columns 'class'; keep one"),
        ("file,day,class,day\nrun/a.mp4,1,x,2\n", "day", "has 2 columns 'day'"),
        ("file,class\nrun/a.mp4,\xe9\n", None, "is no CSV file in UTF-8"),
        ('file,class\n"run/a.mp4,x\n', None, "is no CSV file in UTF-8"),
        (f"file,class\n{'a' * 5000},x\n", None, "there is no file 'aaa"),
    ],
)
def test_lists_that_do_not_serve_are_refused(folder, text, group, message):
    with pytest.raises(InputError, match=message) as error:
        listed(folder, text, group, encoding="latin-1")
    assert "clips.csv" in str(error.value)
    assert "\n" not in str(error.value)


ROWS = st.lists(st.lists(st.text(max_size=20), max_size=4), max_size=4)
LINES = st.text(string.printable, max_size=200)


@settings(max_examples=150)
@given(st.one_of(LINES, ROWS.map(lambda rows: "\n".join(map(",".join, rows)))))
def test_any_text_is_read_or_refused_in_one_line(folder, text):
    """Would catch a path out of the folder, or a traceback for a user's typo."""
    try:
        videos = listed(folder, f"file,class\n{text}", encoding="utf-8")
    except InputError as error:
        assert "\n" not in str(error)
        return
    except UnicodeEncodeError:
        return
    for video in videos:
        assert folder.resolve() in video.path.resolve().parents
        assert video.label


def test_folders_that_do_not_serve_are_refused(tmp_path, folder):
    with pytest.raises(InputError, match="absent is not a folder"):
        find_videos(tmp_path / "absent")
    with pytest.raises(InputError, match="has no class folder with a .mp4"):
        find_videos(tmp_path)
    with pytest.raises(InputError, match="day, but .* has no clips.csv"):
        find_videos(folder, "day")
    with pytest.raises(InputError, match="no class 'runs' among 2; .*'run'"):
        choose_classes(find_videos(folder), ("runs", "sit"))
    with pytest.raises(InputError, match="one class, 'sit'"):
        choose_classes(find_videos(folder), ("sit",))


@pytest.mark.parametrize("name", ["run/a.M4V", "run/b.mpG", "sit/c.GIF", "sit/d.WMV"])
def test_a_class_may_have_any_ending_in_any_case(folder, name):
    """Would catch a class of .m4v files, or of .MP4, that is not there for training."""
    (folder / name).touch()
    names = {f"{v.label}/{v.path.name}" for v in find_videos(folder)}
    assert names == {"run/a.mp4", "run/b.AVI", "sit/c.webm", name}


def test_what_is_left_out_is_named(folder):
    """Would catch a class that vanishes, as no file of its folder is taken."""
    for name in ("jump/a.xyz", "jump/b.txt", "run/late/a.mp4", "lost.mp4", ".x/a.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "empty").mkdir()
    assert describe_left_out(folder) == [
        "left out 2 folders without a video file (empty: empty, jump: a.xyz, b.txt)",
        "left out 1 videos outside of the class folders (lost.mp4)",
        "left out 2 other files or folders (run/late, sit/note.txt)",
    ]
    with pytest.raises(InputError, match=r"one class, 'run'; .*jump: a.xyz, b.txt"):
        videos = [video for video in find_videos(folder) if video.label == "run"]
        choose_classes(videos, (), describe_left_out(folder))
    with pytest.raises(InputError, match=r"no class 'jump' among 2.*jump: a.xyz"):
        choose_classes(find_videos(folder), ("jump",), describe_left_out(folder))
    listed(folder, "file,class\nrun/a.mp4,x\n")
    assert describe_left_out(folder) == []


def test_a_folder_of_folders_of_classes_says_what_it_saw(tmp_path):
    """Would catch train/walk/a.mp4 of which nothing is said but that there is none."""
    for name in ("train/walk", "test/walk"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.mp4").touch()
    with pytest.raises(InputError, match=r"no clips.csv.*\(test: walk, train: walk\)"):
        find_videos(tmp_path)


def test_names_that_are_no_utf8_are_refused_before_anything_is_read(tmp_path):
    name = os.fsdecode(b"w\xe4lk")
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.mp4").touch()
    with pytest.raises(InputError, match="is not UTF-8"):
        find_videos(tmp_path)
    (tmp_path / name / "run").mkdir()
    (tmp_path / name / "run" / "a.mp4").touch()
    with pytest.raises(InputError, match="is not UTF-8"):
        find_videos(tmp_path / name)


def test_a_list_that_is_no_file_is_not_passed_over(folder):
    """Would catch other classes and groups than those of a list on another disk."""
    (folder / "clips.csv").symlink_to("absent")
    with pytest.raises(InputError, match=r"clips.csv is no file, or a link to none"):
        find_videos(folder)


# ------------------------------------------------------------------- which part


def keras_example(tmp_path, **parts):
    """Make the lists of keras.io's example; parts: name -> lines of the list."""
    for part, lines in parts.items():
        (tmp_path / part).mkdir()
        rows = [line.split(",") for line in lines]
        for name, *_ in rows:
            (tmp_path / part / name).touch()
        text = "\n".join(
            [",video_name,tag"] + [f"{i},{r}" for i, r in enumerate(lines)]
        )
        (tmp_path / f"{part}.csv").write_text(text)
    return tmp_path


def test_the_lists_of_keras_say_class_and_test(tmp_path):
    """Would catch classes called train and test, on which any model is perfect."""
    names = [f"v_{c}_g{g:02}_c01.avi,{c}" for c in ("Punch", "Dive") for g in range(8)]
    train = [name for name in names if "_g00" not in name and "_g01" not in name]
    test = [name for name in names if name not in train]
    videos = find_videos(keras_example(tmp_path, train=train, test=test))
    assert {video.label for video in videos} == {"Punch", "Dive"}
    assert {video.group for video in videos} >= {"v_Punch_g00", "v_Dive_g07"}
    cuts = split_by_group(videos)
    assert {videos[n].part for n in cuts["test"]} == {"test"}
    assert [len(cuts[name]) for name in ("train", "validation", "test")] == [9, 3, 4]
    assert {videos[n].label for n in cuts["validation"]} == {"Punch", "Dive"}


def test_a_film_in_both_lists_is_refused(tmp_path):
    lines = ["v_Punch_g01_c01.avi,Punch"], ["v_Punch_g01_c02.avi,Punch"]
    with pytest.raises(InputError, match="v_Punch_g01 is in train.csv and in test.csv"):
        find_videos(keras_example(tmp_path, train=lines[0], test=lines[1]))


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "valid", "test")])
def test_parts_are_no_classes(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.mp4").touch()
    with pytest.raises(InputError, match="are parts and no classes; .* clips.csv"):
        find_videos(tmp_path)


def known(**groups) -> list[Video]:
    """Videos of classes a, b, ...: `g1="aab"` is a group with two a and one b."""
    return [Video(None, label, g) for g, labels in groups.items() for label in labels]


def test_no_group_is_in_two_parts_and_every_class_in_all():
    """Would catch clips of one recording on both sides of the split."""
    random = np.random.default_rng(1)
    videos = known(**{f"g{i}": random.choice(list("abc"), 12) for i in range(20)})
    parts = split_by_group(videos)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(videos)))
    groups = [{videos[i].group for i in part} for part in parts.values()]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    for part in parts.values():
        assert {videos[i].label for i in part} == set("abc")
        assert [videos[i].group for i in part] == sorted(videos[i].group for i in part)
    again = split_by_group(videos)
    assert all(np.array_equal(parts[name], again[name]) for name in parts)


def test_named_groups_are_taken_at_their_word():
    videos = known(g1="ab", g2="ab", g3="ab", g4="ab")
    parts = split_by_group(videos, validation=("g2",), test=("g4", "g1"))
    groups = {name: {videos[i].group for i in part} for name, part in parts.items()}
    assert groups == {"train": {"g3"}, "validation": {"g2"}, "test": {"g1", "g4"}}


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (("g2",), (), "--test-groups is missing"),
        (
            ("g9",),
            ("g1",),
            "--validation-groups has 'g9'; of 3 groups the nearest are g3, g2, g1",
        ),
        (("g1",), ("g1",), "'g1' is both"),
        (("g3",), ("g1",), "no video of the class 'b' is for validation"),
    ],
)
def test_named_groups_that_do_not_serve_are_refused(validation, test, message):
    videos = known(g1="ab", g2="ab", g3="a")
    with pytest.raises(InputError, match=message):
        split_by_group(videos, validation, test)


def test_a_class_of_one_group_is_refused_by_name():
    videos = known(g1="ab", g2="ab", g3="abc", g4="ab")
    with pytest.raises(InputError, match=r"class 'c' comes from 1 group\(s\), g3"):
        split_by_group(videos)
