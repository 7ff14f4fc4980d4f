"""Sum up over the seeds what gradients do on their way back, a row per setting."""

import lazy_loader
import numpy as np

from rnn_tf.metrics import intervals

pd = lazy_loader.load("pandas")

SETTING = "phase cell activation weights gain forget_bias input_scale depth".split()
MEASURED = "sigma_max sigma_min radius saturated".split()
RATIOS = 10, 50, 100, 200
COLUMNS = [*SETTING, "seeds", "slope", "slope_low", "slope_high", "r2"]
COLUMNS += [f"log10_{n}{end}" for n in RATIOS for end in ("", "_low", "_high")]
COLUMNS += ["longest", "log10_first", "log10_first_low", "log10_first_high", *MEASURED]
LOWEST = -308.0  # log10 of the smallest float64; in place of a norm that is exactly 0
SETTLED = 10  # steps after which a slope is read: before, the directions sort out


def rows(flow: list[dict]) -> list[dict]:
    """Sum up each setting over its seeds; return the rows of `gradient_decay.csv`.

    `slope` is log10 of what one step multiplies the norm of d h_T / d h_t by: a line
    through the distances from 10 on. `log10_<n>` is log10 of the ratio d h_T / d x_t at
    n steps : at none, and `log10_first` that of the longest distance. All are medians
    over the seeds, with 95 % intervals, since a ReLU whose units are all off passes
    exactly 0. That counts as 1e-308, and the slope as what leads there.
    """
    table = pd.DataFrame([row for row in flow if row["phase"] != "stack"])
    summed = []
    for names, part in table.groupby(SETTING, sort=False):
        seeds = [seed for _, seed in part.groupby("seed")]
        row = dict(zip(SETTING, names, strict=True)) | {"seeds": len(seeds)}
        slopes, fits = zip(*(_slope(seed) for seed in seeds), strict=True)
        row |= _interval("slope", slopes) | {"r2": float(np.median(fits))}
        for distance in RATIOS:
            ratios = [_ratio(seed, distance) for seed in seeds]
            if None not in ratios:
                row |= _interval(f"log10_{distance}", ratios)
        row["longest"] = int(part["distance"].max())
        ratios = [_ratio(seed, row["longest"]) for seed in seeds]
        row |= _interval("log10_first", ratios)
        for name in MEASURED:
            values = part[name]
            row[name] = "" if "" in set(values) else float(values.mean())
        summed.append(row)
    return summed


def _slope(part) -> tuple[float, float]:
    """Fit a line to a layer's log norms from SETTLED steps on; its slope and R^2."""
    settled = part[part["distance"] >= SETTLED]
    part = settled if len(settled) > 1 else part
    x, y = part["distance"].to_numpy(float), lowest(part["log10_norm"])
    return line(x, y) if y[-1] > LOWEST else (LOWEST / x[-1], 0.0)


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Fit a line; return its slope and R^2, 1 where y is the same throughout."""
    slope, start = np.polyfit(x, y, 1)
    spread = ((y - y.mean()) ** 2).sum()
    rest = ((y - start - slope * x) ** 2).sum()
    return float(slope), 1 - float(rest / spread) if spread > 1e-18 else 1.0


def _ratio(part, distance: int) -> float | None:
    """Return log10 of d h_T / d x at a distance : at 0; None if it was not measured."""
    by_distance = part.set_index("distance")["log10_input"]
    if distance not in by_distance.index:
        return None
    return ratio(*by_distance.loc[[distance, 0]])


def ratio(first: float, last: float) -> float:
    """Divide two norms, given as log10: of the gradient by a first and a last input.

    Where units are so saturated that not even the last input arrives, nothing does.
    """
    return LOWEST if np.isneginf(last) else float(max(first - last, LOWEST))


def lowest(values) -> np.ndarray:
    """Put 1e-308 in the place of what is exactly 0: log10 of it is -308."""
    return np.maximum(np.asarray(values, float), LOWEST)


def _interval(name: str, values) -> dict[str, float]:
    """Return the median and its 95 % interval over seeds, as three columns."""
    low, high = intervals.median_interval(np.array(values))
    middle = float(np.median(values))
    return {name: middle, f"{name}_low": low, f"{name}_high": high}
