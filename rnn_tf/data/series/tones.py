"""Make seeded recordings of a language of tones: words that glide between two pitches.

Each word goes from one of three pitches to one of three: nine words, of which none can
be told by a moment alone. Speakers differ in pitch, words in loudness and duration, and
there is noise. A recording is cut into frames, as speech is, and each frame is the
logarithm of its spectrum.
"""

from dataclasses import dataclass

import numpy as np

PITCHES = np.array([250.0, 400.0, 640.0])  # Hz
WORDS = len(PITCHES) ** 2  # word n goes from pitch n // 3 to pitch n % 3
RATE, FRAME = 4_000, 128  # samples a second, and of a frame: 32 ms
DURATIONS = 4, 8  # frames of a word, from and to
GAPS = 1, 3  # frames of silence before each word
MOST = 4  # words of a recording
FRAMES = MOST * (DURATIONS[1] + GAPS[1])
BANDS = slice(2, 34)  # of the spectrum: 62 to 1,031 Hz
NOISE = 0.1  # its standard deviation; a word's loudest is 0.3 to 1


@dataclass(frozen=True)
class Recordings:
    """Recordings, and the words that are said in each."""

    frames: np.ndarray  # (recordings, FRAMES, bands) float32
    words: np.ndarray  # (recordings, MOST) int, -1 after the last word

    @property
    def counts(self) -> np.ndarray:
        """How many words each recording has: (recordings,)."""
        return (self.words >= 0).sum(axis=1)


def record(count: int, most: int, seed: int) -> Recordings:
    """Record one to `most` words each; silence comes first, the last word at the end.

    Args:
        count: recordings.
        most: words of a recording, at most `MOST`.
        seed: same seed, same recordings.
    """
    random = np.random.default_rng(seed)
    words = random.integers(0, WORDS, (count, MOST))
    counts = random.integers(1, most + 1, (count, 1))
    spoken = np.arange(MOST) < counts
    durations = random.integers(DURATIONS[0], DURATIONS[1] + 1, (count, MOST)) * spoken
    gaps = random.integers(GAPS[0], GAPS[1] + 1, (count, MOST)) * spoken
    after = np.cumsum((durations + gaps)[:, ::-1], axis=1)[:, ::-1]
    starts = FRAMES - after + gaps
    loudness = random.uniform(0.3, 1, (count, MOST)) * spoken
    speaker = random.uniform(0.9, 1.1, (count, 1))
    sound = random.normal(scale=NOISE, size=(count, FRAMES * FRAME)).astype("float32")
    for place in range(MOST):
        which = words[:, place, None], starts[:, place, None], durations[:, place, None]
        sound += loudness[:, place, None] * _glide(*which, speaker)
    return Recordings(spectra(sound), np.where(spoken, words, -1))


def _glide(word, start, duration, speaker) -> np.ndarray:
    """Make one word of each recording: (recordings, samples), 0 outside of it.

    The pitch goes from a to b in a time d as a (b / a)^(t / d), so that the phase is
    2 pi a d ((b / a)^(t / d) - 1) / log(b / a).
    """
    low, high = (speaker * PITCHES[n] for n in divmod(word, len(PITCHES)))
    seconds = np.maximum(duration, 1) * FRAME / RATE
    passed = (np.arange(FRAMES * FRAME) - start * FRAME) / RATE / seconds
    inside = (passed >= 0) & (passed < 1) & (duration > 0)
    passed = np.clip(passed, 0, 1)
    log = np.where(high == low, 1e-6, np.log(high / low))
    phase = 2 * np.pi * low * seconds * np.expm1(log * passed) / log
    return (np.sin(phase) * inside).astype("float32")


def spectra(sound: np.ndarray) -> np.ndarray:
    """Cut sound, (recordings, samples), to log spectra, (recordings, frames, bands)."""
    frames = sound.reshape(len(sound), -1, FRAME) * np.hanning(FRAME)
    return np.log(np.abs(np.fft.rfft(frames)[..., BANDS]) + 0.1).astype("float32")
