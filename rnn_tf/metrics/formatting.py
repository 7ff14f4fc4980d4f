"""How numbers and metrics are written for people."""


def number(value: float, sign: str = "") -> str:
    """Whole from 100 on, three digits below: 41,234 or 0.0412."""
    if abs(value) >= 100:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}"


def metric_name(metric: str, unit: str = "") -> str:
    """As a heading: MAE, boardings; error, %."""
    name = metric.upper() if len(metric) < 5 else metric
    return f"{name}, {unit}" if unit else name
