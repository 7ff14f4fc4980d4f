"""Read scikit-learn's 8 x 8 digits as sequences of columns or rows; no download.

Source: Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI;
1,797 of them come with scikit-learn.
"""

import numpy as np

SIDE, CLASSES = 8, 10


def columns_and_classes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the digits in a random order.

    Args:
        seed: same seed, same order.

    Returns:
        (1797, 8 columns, 8 pixels) float32, ink from 0 to 1; and (1797,) int32.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    columns = digits.images[order].transpose(0, 2, 1) / 16
    return columns.astype("float32"), digits.target[order].astype("int32")


def ink_tags(columns: np.ndarray) -> np.ndarray:
    """Tag each column by whether half of all ink lies in it or before it.

    Returns:
        (drawings, columns) int32. The first half of a drawing does not tell how much
        ink there will be.
    """
    ink = columns.sum(axis=2).cumsum(axis=1)
    return (2 * ink >= ink[:, -1:]).astype("int32")
