"""Sum up over the seeds what gradients do on their way back, a row per setting."""

import lazy_loader
import numpy as np

from rnn_tf.metrics import intervals

pd = lazy_loader.load("pandas")

SETTING = "phase cell activation weights gain forget_bias input_scale depth".split()
MEASURED = "sigma_max sigma_min radius saturated".split()
NORMS = "log10_norm log10_input log10_loss".split()
ENDS = "", "_low", "_high"
FLOW = [*SETTING, "distance", "seeds", *(f"{n}{end}" for n in NORMS for end in ENDS)]
FLOW += MEASURED
RATIOS = 10, 50, 100, 200
COLUMNS = [*SETTING, "seeds", "slope", "slope_low", "slope_high", "r2"]
COLUMNS += [f"log10_{n}{end}" for n in (*RATIOS, "first") for end in ENDS]
COLUMNS += ["longest", *MEASURED]
LOWEST = -308.0  # log10 of the smallest float64; in place of a norm that is exactly 0
DIGITS = 6
SETTLED = 10  # steps after which a slope is read: before, the directions sort out


def by_distance(measured: list[dict]) -> list[dict]:
    """Sum up each distance over the seeds; return the rows of `gradient_flow.csv`.

    Args:
        measured: rows of `gradient_flow`, one per setting, seed and distance.

    Returns:
        One per setting and distance: medians, the smallest and the largest over the
        seeds as low and high, and the means of what is the same at all distances.
    """
    summed = []
    table = pd.DataFrame(measured)
    for names, part in table.groupby([*SETTING, "distance"], sort=False):
        row = dict(zip([*SETTING, "distance"], names, strict=True))
        row["seeds"] = len(part)
        for name in NORMS:
            values = part[name].dropna()
            if len(values):
                ends = values.median(), values.min(), values.max()
                row |= _three(name, *ends)
        summed.append(row | _means(part))
    return summed


def rows(measured: list[dict]) -> list[dict]:
    """Sum up each setting over its seeds; return the rows of `gradient_decay.csv`.

    `slope` is log10 of what one step multiplies the norm of d h_T / d h_t by: a line
    through the distances from 10 on; of a stack, what one layer multiplies that of
    d h / d x by. `log10_<n>` is log10 of the ratio d h_T / d x_t at n steps : at none,
    and `log10_first` that of the longest distance. All are medians over the seeds, with
    95 % intervals, since a ReLU whose units are all off passes exactly 0. That counts
    as 1e-308, and the slope as what leads there.
    """
    table, summed = pd.DataFrame(measured), []
    stack, layers = table["phase"] == "stack", [x for x in SETTING if x != "depth"]
    for names, part in table[~stack].groupby(SETTING, sort=False):
        row = dict(zip(SETTING, names, strict=True))
        row |= _slopes(part, "distance", "log10_norm") | _ratios(part) | _means(part)
        summed.append(row)
    for names, part in table[stack].groupby(layers, sort=False):
        row = dict(zip(layers, names, strict=True)) | {"depth": part["depth"].max()}
        summed.append(row | _slopes(part, "depth", "log10_input"))
    return summed


def _slopes(part, by: str, name: str) -> dict:
    """Fit a line for each seed; return the columns of slope and R^2."""
    lines = [_slope(seed, by, name) for _, seed in part.groupby("seed")]
    slopes, fits = zip(*lines, strict=True)
    row = {"seeds": len(lines)} | _interval("slope", slopes)
    return row | {"r2": float(np.median(fits))}


def _ratios(part) -> dict:
    """Return the columns of the ratios at each distance that was measured."""
    row = {"longest": int(part["distance"].max())}
    distances = {n: n for n in RATIOS} | {"first": row["longest"]}
    for name, distance in distances.items():
        ratios = [_ratio(seed, distance) for _, seed in part.groupby("seed")]
        if None not in ratios:
            row |= _interval(f"log10_{name}", ratios)
    return row


def _means(part) -> dict:
    """Return the means over the seeds of what is the same at every distance."""
    means = {}
    for name in MEASURED:
        values = part[name]
        empty = values.isna().any() or "" in set(values)
        means[name] = "" if empty else round(float(values.mean()), DIGITS)
    return means


def _slope(part, by: str, name: str) -> tuple[float, float]:
    """Fit a line to log norms, over distances from SETTLED on; its slope and R^2."""
    settled = part[part[by] >= SETTLED]
    part = settled if by == "distance" and len(settled) > 1 else part
    x, y = part[by].to_numpy(float), lowest(part[name])
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
    ends = intervals.median_interval(np.array(values))
    return _three(name, float(np.median(values)), *ends)


def _three(name: str, middle: float, low: float, high: float) -> dict[str, float]:
    """Name a logarithm and its ends; digits after DIGITS say nothing."""
    values = {name: middle, f"{name}_low": low, f"{name}_high": high}
    return {key: round(float(value), DIGITS) for key, value in values.items()}
