"""Unpickle arrays of numbers from files of strangers: nothing is ever executed."""

import io
import pickle
import re

import numpy as np

from rnn_tf.errors import InputError

NUMBER = r"[<>|=](i[1248]|u[1248]|f[248])"  # the types of numbers, as NumPy names them
# Opcodes that arrays do not need, and those that make large objects of a byte or two.
UNUSED = (
    *(pickle.BYTEARRAY8, pickle.EMPTY_SET, pickle.FROZENSET),
    *(pickle.DUP, pickle.OBJ, pickle.INST, pickle.NEWOBJ),
)
COUNTED = (
    *(pickle.MARK, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.DICT),
    *(pickle.MEMOIZE, pickle.LONG_BINPUT),
    *(pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.REDUCE),
)


class Dtype:
    """Stand in for numpy.dtype: the type of an array of numbers, or None."""

    number = None

    def __init__(self, code, *_):
        self.code = code

    def __setstate__(self, state):
        name = f"{state[1]}{self.code}"  # such as <i2
        known = re.fullmatch(NUMBER, name)
        self.number = np.dtype(name) if known else None


class Array:
    """Stand in for numpy.ndarray: keep the state, and do nothing with it."""

    state = None, None, None, None, None

    def __init__(self, *_): ...

    def __setstate__(self, state):
        self.state = state

    def __len__(self) -> int:
        """Count the bytes of the numbers; text may stand for them."""
        return len(self.state[-1]) if isinstance(self.state[-1], bytes | str) else 0

    def numbers(self) -> np.ndarray:
        """Build the array, only now: else text that stands for bytes is kept twice."""
        _, shape, dtype, by_column, values = self.state
        if dtype.number is None:
            raise TypeError
        if isinstance(values, str):
            values = values.encode("latin1")
        order = "F" if by_column else "C"
        return np.ndarray(shape, dtype.number, memoryview(values), order=order)


def _encode(text, _):
    """Stand in for _codecs.encode, by which Python 3 writes bytes for Python 2."""
    return text


def _counted(load):
    """Make an opcode that takes one byte or two and makes an object count."""

    def counted(self):
        self.budget -= 1
        if self.budget < 0:
            raise InputError("its pickle makes more objects than its drawings need")
        load(self)

    return counted


class Unpickler(pickle._Unpickler):
    """Rebuild arrays of numbers, from stand-ins, and refuse all else.

    NumPy's own classes are not let through: a dtype's pickled state can make NumPy take
    bytes for pointers. The unpickler in Python, because the one in C fills the memory
    for a pickle of ten bytes (LONG_BINPUT); so would BYTEARRAY8, which is left out. And
    a million empty lists are a million bytes, which unpack from some thousand: what an
    array does not need is left out, and the rest is counted.
    """

    STAND_INS = {
        ("numpy.core.multiarray", "_reconstruct"): Array,  # NumPy 1
        ("numpy._core.multiarray", "_reconstruct"): Array,  # NumPy 2
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): _encode,
    }
    dispatch = {
        code: _counted(load) if bytes([code]) in COUNTED else load
        for code, load in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in UNUSED
    }

    def __init__(self, file: io.BytesIO, drawings: int):
        super().__init__(file, encoding="latin1")
        self.budget = 1_000 + 40 * drawings

    def find_class(self, module, name):
        if (module, name) not in self.STAND_INS:
            raise InputError(
                f"its pickle asks for {f'{module}.{name}'[:80]!r}, which arrays of "
                "numbers do not need; do not trust this file"
            )
        return self.STAND_INS[module, name]
