"""Describe one value that a check measured, and what of it would confirm the claim."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A value, and the criterion that was written down before it was measured.

    Without `least`, `most` or `equal` it cannot hold.
    """

    name: str  # fits after "not for"
    value: float | str
    least: float | None = None
    most: float | None = None
    equal: float | str | None = None

    @property
    def confirms(self) -> str:
        """What value would confirm the claim: at least 0.001, equal to (4, 64)."""
        if self.equal is not None:
            return f"equal to {self.equal}"
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        bounds = {"at least": self.least, "at most": self.most}
        return "".join(f"{word} {b:g}" for word, b in bounds.items() if b is not None)

    @property
    def holds(self) -> bool:
        """Whether the value meets all of the criterion; what is no number does not."""
        tests = (
            self.equal is None or self.value == self.equal,
            self.least is None or self.value >= self.least,
            self.most is None or self.value <= self.most,
        )
        return bool(self.confirms) and all(tests)
