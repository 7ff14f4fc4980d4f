"""Offer Quick, Draw! as a TensorFlow data set; TFDS itself has none.

    import rnn_tf.data.sketch_rnn  # registers the name
    tfds.load("sketch_rnn/quickdraw", split=["train[:80%]", "train[80%:]"],
              as_supervised=True)

Files are downloaded, or taken from TFDS's manual folder if it has some. Fewer classes:

    tfds.load("sketch_rnn", builder_kwargs={"config": sketch_rnn.of("cat", "dog")})
"""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from rnn_tf.data.drawings import npz, quickdraw
from rnn_tf.data.drawings.folder import choose_classes, files_by_class
from rnn_tf.data.drawings.formats import ClassFile
from rnn_tf.errors import InputError

_DESCRIPTION = """Drawings of 345 classes from the game Quick, Draw!, as movements of a
pen: each point is dx, dy and whether the pen is lifted after it, in a box of 255."""
_CITATION = """@inproceedings{ha2018sketchrnn,
  title={A Neural Representation of Sketch Drawings},
  author={Ha, David and Eck, Douglas},
  booktitle={International Conference on Learning Representations},
  year={2018},
  note={arXiv:1704.03477, 2017}
}"""


@dataclasses.dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """Which classes the data set has; labels are numbered among all 345."""

    classes: tuple[str, ...]


def of(*classes: str) -> Config:
    """Configure the data set with these classes only, under a name of its own.

    Raises:
        InputError: there is no such class.
    """
    names = tuple(choose_classes(classes, quickdraw.CLASSES, "Quick, Draw!"))
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    description = f"The classes {', '.join(names)}."
    name = f"quickdraw_{len(names)}_{digest}"
    return Config(name=name, description=description, classes=names)


class SketchRnn(tfds.core.GeneratorBasedBuilder):
    """Drawings, int16 (points, 3), and their classes."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The first."}
    BUILDER_CONFIGS = [
        Config(
            name="quickdraw",
            description="All 345 classes.",
            classes=quickdraw.CLASSES,
        )
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""Optional; without them the files are downloaded.
    Put one .npz file per class, such as "alarm clock.npz" or "alarm_clock.npz", into
    this folder; they are at {quickdraw.URL}/."""

    def _info(self) -> tfds.core.DatasetInfo:
        """Describe the features; moves are kept as bytes, as int64 takes 1.7 times the
        space and twice the time."""
        strokes = tfds.features.Tensor(
            shape=(None, 3), dtype=np.int16, encoding=tfds.features.Encoding.BYTES
        )
        label = tfds.features.ClassLabel(names=quickdraw.CLASSES)
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict({"strokes": strokes, "label": label}),
            supervised_keys=("strokes", "label"),
            homepage="https://quickdraw.withgoogle.com/data",
            citation=_CITATION,
            license="Google, Inc., CC BY 4.0 "
            "(https://creativecommons.org/licenses/by/4.0/)",
        )

    def _split_generators(self, dl_manager):
        files = _files(dl_manager, self.builder_config.classes)
        return {
            split: self._generate_examples(files, member)
            for member, split in npz.SPLITS.items()
        }

    def _generate_examples(self, files: list[ClassFile], member: str):
        """Yield drawings class by class, so that one class is in memory.

        TFDS shuffles by key, and holds up to a gigabyte itself before it uses the disk.
        """
        for file in files:
            for index, drawing in enumerate(npz.read(file.path, member)):
                yield f"{file.name} {index}", {"strokes": drawing, "label": file.name}


def _files(dl_manager, classes: tuple[str, ...]) -> list[ClassFile]:
    """Take the manual folder's files, if it has some or the user has named it.

    Else download them: TFDS's own manual folder may hold the files of other data sets.
    """
    default = dl_manager.download_dir / "manual"
    try:
        folder = Path(dl_manager.manual_dir)
    except AssertionError as absent:  # or it is empty
        if str(default) not in str(absent):
            raise InputError(str(absent).splitlines()[0]) from None
        return quickdraw.fetch(classes)
    paths = files_by_class(folder)
    files = [ClassFile(n, paths[n]) for n in classes if _is_npz(paths.get(n))]
    if not files and folder == Path(default):
        return quickdraw.fetch(classes)
    if len(files) < len(classes):
        _refuse(folder, sorted(set(classes) - {file.name for file in files}))
    return files


def _is_npz(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".npz"


def _refuse(folder: Path, missing: list[str]):
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    raise InputError(
        f"{folder} has no .npz file of {', '.join(missing[:3])}{more}; add them, leave "
        "manual_dir out to download them, or load fewer classes: "
        "builder_kwargs={'config': rnn_tf.data.sketch_rnn.of('cat', 'dog')}"
    )
