"""Unpickle arrays of numbers from files of strangers: nothing is ever executed."""

import pickle
import re

import numpy as np

from rnn_tf.errors import InputError

NUMBER = r"[<>|=](i[1248]|u[1248]|f[248])"  # the types of numbers, as NumPy names them
OPCODES = 50  # for each drawing; pickles of arrays have some 33


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


class Unpickler(pickle._Unpickler):
    """Rebuild arrays of numbers, from stand-ins, and refuse all else.

    NumPy's own classes are not let through: a dtype's pickled state can make NumPy take
    bytes for pointers. The unpickler in Python, because the one in C fills the memory
    for a pickle of ten bytes (LONG_BINPUT); so would BYTEARRAY8, which is left out.
    Opcodes are counted, as a million empty lists are a million bytes, packed in some
    thousand.
    """

    STAND_INS = {
        ("numpy.core.multiarray", "_reconstruct"): Array,  # NumPy 1
        ("numpy._core.multiarray", "_reconstruct"): Array,  # NumPy 2
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): _encode,
    }
    dispatch = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if code not in pickle.BYTEARRAY8
    }
    dispatch[pickle.FRAME[0]] = lambda self: self.read(8)  # all is in memory

    def load_drawings(self, count: int):
        """Return what the pickle holds, as `load` does, in half the time.

        Args:
            count: drawings that there may be.

        Raises:
            InputError: it makes more objects than so many drawings need.
        """
        self.read, self.readline = self._file_read, self._file_readline
        self.metastack, self.stack = [], []
        self.append = self.stack.append
        read, dispatch = self.read, self.dispatch
        try:
            for _ in range(1_000 + OPCODES * count):
                dispatch[read(1)[0]](self)
        except pickle._Stop as stop:
            return stop.value
        raise InputError("its pickle makes more objects than its drawings need")

    def find_class(self, module, name):
        if (module, name) not in self.STAND_INS:
            raise InputError(
                f"its pickle asks for {f'{module}.{name}'[:80]!r}, which arrays of "
                "numbers do not need; do not trust this file"
            )
        return self.STAND_INS[module, name]
