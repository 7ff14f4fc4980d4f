"""Guess the next point of a drawing by counts: one normal distribution, and a bigram.

Steps are shares of a scale, as for a network. Each baseline gives, for the drawings of
a part, (drawings, 3): the nats of all steps, those of all states of the pen, and how
many targets there are, the end among them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lazy_loader
import numpy as np

from rnn_tf.data.drawings.store import Part

sklearn = lazy_loader.load("sklearn")

KINDS = 64  # of steps
MOST = 20_000  # points by which steps are sorted into kinds
PRIOR = 20.0  # counts after each kind that the shares of all points are worth
CHUNK = 50_000  # points in memory at a time


def gaussian(train: Part, scale: float) -> Callable[[Part], np.ndarray]:
    """Fit one normal distribution of steps, and the frequencies of the pen's states."""
    from scipy.stats import multivariate_normal

    steps = train.points[:, :2] / scale
    normal = multivariate_normal(steps.mean(axis=0), np.cov(steps, rowvar=False))
    lifted = int(train.points[:, 2].sum())
    counts = np.array([len(steps) - lifted, lifted, len(train.lengths)])
    pen = -np.log(counts / counts.sum())

    def nats(part: Part) -> np.ndarray:
        cost = -normal.logpdf(part.points[:, :2] / scale)
        ends = np.full(len(part.lengths), pen[2])
        return _by_drawing(part, cost, pen[part.points[:, 2]], ends)

    return nats


def bigram(train: Part, scale: float) -> Callable[[Part], np.ndarray]:
    """Count which kind of step follows which, and the states of the pen with them.

    The kinds are the parts of a mixture of normal distributions. The next step has the
    density of that mixture, weighed by what came after the step before in training:
    that is a density too, as a network's is.
    """
    random = np.random.default_rng(1)
    some = random.permutation(len(train.points))[:MOST]
    mixture = sklearn.mixture.GaussianMixture(
        min(KINDS, 1 + len(some) // 50),
        init_params="k-means++",
        tol=0.01,
        reg_covar=2e-4,  # as narrow as a network's may be
        random_state=1,
    )
    mixture.fit_predict(train.points[some, :2] / scale)
    kinds = Kinds(mixture, scale)
    shares = kinds.shares(train)
    return lambda part: kinds.nats(part, shares)


@dataclass(frozen=True)
class Kinds:
    """Steps sorted into kinds, and with the pen's state into tokens.

    Token 0 is the beginning of a drawing, or its end; 1 + kind + pen * kinds a point.
    """

    mixture: object  # scikit-learn's
    scale: float

    def __len__(self) -> int:
        return self.mixture.n_components

    def tokens(self, part: Part) -> np.ndarray:
        """Return the token of each point, (points,)."""
        kind = self.mixture.predict(part.points[:, :2] / self.scale)
        return 1 + kind + part.points[:, 2].astype(int) * len(self)

    def shares(self, part: Part) -> np.ndarray:
        """Count what follows: (tokens before, tokens after), rows that add up to 1."""
        tokens, width = self.tokens(part), 1 + 2 * len(self)
        last = tokens[part.starts + part.lengths - 1]
        pairs = np.concatenate([_before(part, tokens) * width + tokens, last * width])
        counts = np.bincount(pairs, minlength=width * width).reshape(width, width)
        after = counts.sum(axis=0) + 1.0
        counts = counts + PRIOR * after / after.sum()
        return counts / counts.sum(axis=1, keepdims=True)

    def nats(self, part: Part, shares: np.ndarray) -> np.ndarray:
        """Return what the drawings of a part cost, (drawings, 3)."""
        tokens = self.tokens(part)
        before, pen = _before(part, tokens), part.points[:, 2].astype(int)
        cuts = np.split(np.arange(len(pen)), range(CHUNK, len(pen), CHUNK))
        costs = [self._points(part.points[n], shares[before[n]], pen[n]) for n in cuts]
        last = part.starts + part.lengths - 1
        return _by_drawing(
            part, *np.concatenate(costs, axis=1), -np.log(shares[tokens[last], 0])
        )

    def _points(self, points, shares, pen) -> np.ndarray:
        """Return the nats of steps and of the pen, (2, points)."""
        by_pen = shares[:, 1:].reshape(len(points), 2, len(self))
        weights = by_pen[np.arange(len(points)), pen]
        chance = weights.sum(axis=1)
        logs = self._log_densities(points[:, :2] / self.scale) + np.log(weights)
        top = logs.max(axis=1)
        joint = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
        return np.stack([np.log(chance) - joint, -np.log(chance)])

    def _log_densities(self, steps: np.ndarray) -> np.ndarray:
        """Return the density of steps in each kind, as logarithms: (points, kinds)."""
        from scipy.stats import multivariate_normal

        parts = zip(self.mixture.means_, self.mixture.covariances_, strict=True)
        return np.stack(
            [multivariate_normal(*part).logpdf(steps).reshape(-1) for part in parts], 1
        )


def _before(part: Part, tokens: np.ndarray) -> np.ndarray:
    """Return the token before each point, 0 at the beginning of a drawing."""
    before = np.concatenate([[0], tokens[:-1]])
    before[part.starts] = 0
    return before


def _by_drawing(part: Part, steps, pens, ends) -> np.ndarray:
    """Sum the nats of points for each drawing, and add those of its end."""
    sums = [np.concatenate([[0], np.cumsum(cost)]) for cost in (steps, pens)]
    steps, pens = (s[part.starts + part.lengths] - s[part.starts] for s in sums)
    return np.stack([steps, pens + ends, part.lengths + 1.0], axis=1)
