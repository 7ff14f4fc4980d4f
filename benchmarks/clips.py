"""Read clips from video files into batches of 16: 16 grey frames of 48 x 48 each."""

import functools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.contest import Contender, Work, epochs, first_epoch
from rnn_tf.data.order import Order
from rnn_tf.data.video import batches, decoding, store
from rnn_tf.data.video.folder import find_videos

COUNT, FRAMES, WIDTH, HEIGHT = 32, 60, 320, 240
BATCH = 16
SAMPLING = decoding.Sampling(frames=16, stride=3, clips=1, side=48, channels=1)


@functools.cache
def _folder() -> Path:
    """Write two classes of short videos, in a folder that ends with this process."""
    import av

    _folder.kept = tempfile.TemporaryDirectory()
    folder, random = Path(_folder.kept.name), np.random.default_rng(1)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    for number in range(COUNT):
        path = folder / "films" / "ab"[number % 2] / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Blocks that drift, as a camera's picture does: neither noise nor a still.
        blocks = random.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), dtype="uint8")
        picture = blocks.repeat(16, axis=0).repeat(16, axis=1)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for step in range(FRAMES):
                shifted = np.roll(picture, 2 * step, axis=1)
                frame = av.VideoFrame.from_ndarray(shifted, "rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return folder / "films"


def opencv():
    """Read one frame at a time; frames that are not wanted are decoded too."""
    import cv2

    paths = sorted(_folder().rglob("*.mp4"))

    def clip(path: Path) -> np.ndarray:
        capture = cv2.VideoCapture(str(path))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted, frames = set(SAMPLING.positions(count)[0].tolist()), []
        for number in range(max(wanted) + 1):
            _, frame = capture.read()
            if number in wanted:
                grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
                size = SAMPLING.side, SAMPLING.side
                frames.append(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        capture.release()
        return np.stack(frames)[..., None]

    def run_round() -> float:
        started, count = time.perf_counter(), 0
        order = np.random.default_rng(1).permutation(len(paths))
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            batch = [clip(paths[i]) for i in order[begin : begin + BATCH]]
            count += len(np.stack(batch))
        return count / (time.perf_counter() - started)

    return run_round


def ours():
    """Read ten epochs from the flat file that the first run wrote."""
    data = _ours()
    return lambda: epochs(data, 10)


def ours_at_first():
    """Decode the videos, then read one epoch."""
    _folder()
    return lambda: first_epoch(_ours)


def _ours():
    clips = store.decode_videos(find_videos(_folder()), SAMPLING, skip=False)
    cuts = dict.fromkeys(("train", "validation", "test"), np.arange(COUNT))
    part = clips.labelled("made", cuts, grouped=False).parts["train"]
    return batches.dataset(part, BATCH, Order(1))


WORKS = (
    Work(
        "clips from video files to batches of 16",
        "clips/s",
        (
            Contender("OpenCV, frame by frame", opencv, ("cv2",)),
            Contender("ours, the first time", ours_at_first),
            Contender("ours", ours),
        ),
    ),
)
