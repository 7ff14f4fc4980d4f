"""Drawings by chance: any sound one comes back, any damage is an InputError."""

import pickle
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_tf.data.drawings import tfrecord
from rnn_tf.data.drawings.formats import ClassFile
from rnn_tf.errors import InputError
from tests.drawing_files import (
    GOOD,
    INK,
    SQUARE,
    attacks,
    choose,
    example,
    moves,
    ndjson_file,
    npz_file,
    objects,
    pickled_file,
    read,
    read_rows,
    tfrecord_file,
)

move = st.tuples(*[st.integers(-10_000, 10_000)] * 2, st.integers(0, 1))


any_moves = st.lists(move, min_size=1, max_size=20)


point = st.tuples(*[st.integers(0, 255)] * 2)


stroke_lists = st.lists(st.lists(point, min_size=2, max_size=8), min_size=1, max_size=6)


@settings(max_examples=100)
@given(drawing=any_moves, dtype=st.sampled_from(["i2", ">i4", "f4", "f8"]))
def test_any_drawing_comes_back_from_npz(tmp_path, drawing, dtype):
    """One is larger than a box of 1, which fractions could be shares of."""
    file = npz_file(tmp_path / "a.npz", [moves(drawing, dtype), GOOD.astype(dtype)])
    assert read_rows(file) == [[list(row) for row in drawing], GOOD.tolist()]


@settings(max_examples=200)
@given(drawing=stroke_lists)
def test_any_drawing_comes_back_from_ndjson(tmp_path, drawing):
    """Property: following the moves from the first point visits every point."""
    as_lists = [
        [list(axis) for axis in zip(*stroke, strict=True)] for stroke in drawing
    ]
    [rows] = read_rows(ndjson_file(tmp_path / "a.ndjson", as_lists))
    at, visited = drawing[0][0], [drawing[0][:1]]
    lifted = False
    for dx, dy, pen in rows:
        if lifted:
            visited.append([])
        at = (at[0] + dx, at[1] + dy)
        visited[-1].append(at)
        lifted = pen == 1
    assert visited == drawing
    assert lifted


@settings(max_examples=100)
@given(drawing=stroke_lists)
def test_any_raw_drawing_fits_the_box(tmp_path, drawing):
    """Property: the longer side is 255, no stroke is lost, none gains a point."""
    timed = [[*map(list, zip(*s, strict=True)), list(range(len(s)))] for s in drawing]
    [rows] = read_rows(ndjson_file(tmp_path / "a.ndjson", timed))
    path = np.vstack([[0, 0], np.cumsum(np.array(rows)[:, :2], axis=0)])
    everywhere = len({p for stroke in drawing for p in stroke})
    assert np.ptp(path, axis=0).max() <= 255
    assert sum(pen for *_, pen in rows) == len(drawing)
    assert len(rows) + 1 <= sum(map(len, drawing))
    assert everywhere > 1 or not path.any()


def only_input_errors(file, marker):
    for skipped in (None, Counter()):
        try:
            drawings = read(file, skipped)
        except InputError as error:
            assert "\n" not in str(error)
            continue
        assert all(rows.dtype == np.int16 for _, rows in drawings)
        assert all(rows.shape[1:] == (3,) and len(rows) for _, rows in drawings)
    assert not marker.exists()


@settings(max_examples=200)
@given(content=st.binary(max_size=300), ending=st.sampled_from([".npz", ".ndjson"]))
def test_any_bytes_are_refused(tmp_path, content, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    only_input_errors(ClassFile("cat", path), tmp_path / "executed")


def mutated(content, changes):
    content = bytearray(content)
    for where, byte in changes:
        content[int(where * len(content))] = byte
    return bytes(content)


changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6
)


@settings(max_examples=150)
@given(changes=changes)
def test_any_change_to_an_npz_file_is_harmless(tmp_path, changes):
    path, marker = tmp_path / "a.npz", tmp_path / "executed"
    file = npz_file(path, [GOOD] * 5, [attacks(marker)["system"]])
    path.write_bytes(mutated(path.read_bytes(), changes))
    only_input_errors(file, marker)


@settings(max_examples=400)
@given(changes=changes, evil=st.booleans(), protocol=st.sampled_from([2, 4]))
def test_any_change_to_a_pickle_is_harmless(tmp_path, changes, evil, protocol):
    """As above where the archive is sound, so that the unpickler meets every change."""
    marker = tmp_path / "executed"
    inside = [GOOD, attacks(marker)["eval"]] if evil else [GOOD, GOOD]
    stream = mutated(pickle.dumps(objects(inside), protocol), changes)
    only_input_errors(pickled_file(tmp_path / "a.npz", stream, 2), marker)


@settings(max_examples=200)
@given(changes=changes)
def test_any_change_to_an_ndjson_file_is_harmless(tmp_path, changes):
    path = tmp_path / "a.ndjson"
    file = ndjson_file(path, [SQUARE], [[*SQUARE, [0, 1, 2, 3]]], key_id="1")
    path.write_bytes(mutated(path.read_bytes(), changes))
    only_input_errors(file, tmp_path / "executed")


@settings(max_examples=25)
@given(changes=changes, record=st.binary(max_size=60))
def test_any_change_to_a_tfrecord_file_is_harmless(tmp_path, changes, record):
    path = tfrecord_file(tmp_path, mutated(example(INK), changes), record)
    for content in (path.read_bytes(), mutated(path.read_bytes(), changes)):
        path.write_bytes(content)
        try:
            list(tfrecord.read(path, ("a", "b"), choose(Counter())))
        except InputError as error:
            assert "\n" not in str(error)
