"""Make tunes by rules: a key, notes of its major scale, whole bars.

    scale    all notes are of the key's major scale
    ends     the first note is the tonic, the last one too, or the one an octave above
    steps    from a note to the next it is one step of the scale, or two: a leap
    leaps    after a leap comes one step back, so that no tune ends with a leap
    bars     a tune has two, three or four bars, of four notes each

A note's place in the scale follows from the key, what may follow it from the last two
notes, and where a tune may end from how many there were: random notes, or those that
are frequent, keep no rule but by chance.
"""

import numpy as np

KEYS = 12  # tonics, in semitones above the lowest C
NOTES = 24  # semitones: two octaves
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11, 12])  # semitones of the scale, up to the octave
TOP = len(MAJOR) - 1  # the degree of the octave; the tonic is 0
LENGTHS = 8, 12, 16
MOST = max(LENGTHS)
END = -1  # stands behind the last note
MOVES = np.array([-2, -1, 1, 2])  # of degrees
RULES = "scale ends steps leaps bars".split()


def tunes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make tunes that keep all rules.

    Args:
        count: of tunes; keys and lengths are as likely.
        seed: same seed, same tunes.

    Returns:
        Keys, (tunes,), and notes, (tunes, MOST) int, `END` behind the last.
    """
    random = np.random.default_rng(seed)
    parts = []
    for length in LENGTHS:
        own, wanted = np.zeros((0, length), int), -(-count // len(LENGTHS))
        while len(own) < wanted:
            walks = _walk(8 * count, length, random)
            keys = np.zeros(len(walks), int)
            own = np.concatenate([own, walks[keeps_all(keys, MAJOR[walks])]])
        blank = np.full((wanted, MOST - length), END)
        parts.append(np.concatenate([MAJOR[own[:wanted]], blank], axis=1))
    notes = np.concatenate(parts)[random.permutation(sum(map(len, parts)))[:count]]
    keys = random.integers(0, KEYS, count)
    return keys, np.where(notes == END, END, notes + keys[:, None])


def _walk(count: int, length: int, random: np.random.Generator) -> np.ndarray:
    """Walk from the tonic by steps and leaps, within the octave: (walks, length)."""
    degrees, last = [np.zeros(count, int)], np.zeros(count, int)
    for _ in range(length - 1):
        after = degrees[-1][:, None] + MOVES
        may = (after >= 0) & (after <= TOP)
        back = -np.sign(last)[:, None] == MOVES
        may &= back | (np.abs(last) < 2)[:, None]
        last = MOVES[np.argmax(may * random.random(may.shape), axis=1)]
        degrees.append(degrees[-1] + last)
    return np.stack(degrees, axis=1)


def degrees(keys: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Return each note's degree of the scale, 0 to `TOP`; -1 where it has none.

    Args:
        keys: (tunes,).
        notes: (tunes, steps); `END` has none.
    """
    above = np.where(notes == END, -1, notes - keys[:, None])
    place = np.clip(np.searchsorted(MAJOR, above), 0, TOP)
    return np.where(MAJOR[place] == above, place, -1)


def keeps(keys: np.ndarray, notes: np.ndarray) -> dict[str, np.ndarray]:
    """Tell of each tune which rules it keeps.

    A note that is not of the scale breaks all rules but that on bars.

    Args:
        keys: (tunes,).
        notes: (tunes, steps) int, `END` behind the last one.

    Returns:
        Rule -> (tunes,) bool.
    """
    lengths = (notes != END).sum(axis=1)
    places = degrees(keys, notes)
    scale = ((places >= 0) | (notes == END)).all(axis=1) & (lengths > 0)
    last = places[np.arange(len(notes)), lengths - 1]
    small, back = _moves(places, notes)
    return {
        "scale": scale,
        "ends": scale & (places[:, 0] == 0) & np.isin(last, (0, TOP)),
        "steps": scale & small.all(axis=1),
        "leaps": scale & back.all(axis=1),
        "bars": np.isin(lengths, LENGTHS),
    }


def keeps_all(keys: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Tell of each tune whether it keeps all rules: (tunes,) bool; see `keeps`."""
    return np.all(list(keeps(keys, notes).values()), axis=0)


def _moves(places: np.ndarray, notes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell of the move to each note but the first: is it small, is it gone back from.

    Returns:
        (tunes, steps - 1) bool, twice. Of no move both are true.
    """
    moves = np.where(notes[:, 1:] != END, np.diff(places, axis=1), 0)
    after = np.pad(moves, [(0, 0), (0, 1)])[:, 1:]
    small = np.isin(moves, MOVES) | (notes[:, 1:] == END)
    return small, (np.abs(moves) != 2) | (after == -np.sign(moves))


def may_follow(keys: np.ndarray, notes: np.ndarray, nexts: np.ndarray) -> np.ndarray:
    """Tell whether a note, or the end, may follow the beginning of a tune.

    Args:
        keys: (tunes,).
        notes: (tunes, steps), one at least, that keep the rules; `END` behind them.
        nexts: (tunes,), a note or `END`.

    Returns:
        (tunes,) bool. That the tonic may be out of reach before the last bar ends is
        not looked at.
    """
    lengths, own = (notes != END).sum(axis=1), np.arange(len(notes))
    longer = np.pad(notes, [(0, 0), (0, 1)], constant_values=END)
    longer[own, lengths] = nexts
    small, back = _moves(degrees(keys, longer), longer)
    back[own, lengths - 1] = True  # of the last move, what comes next decides
    kept = keeps(keys, longer)
    goes_on = kept["scale"] & small.all(axis=1) & back.all(axis=1) & (lengths < MOST)
    return np.where(nexts == END, np.all(list(kept.values()), axis=0), goes_on)
