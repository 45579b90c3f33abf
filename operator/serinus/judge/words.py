"""Numbers as people read them in sentences and tables."""

from serinus.judge.kinds.memory import Unit


def estimate(value: float, unit: Unit) -> str:
    """An arm's estimate: 1.02 %, 212 ms, 3.4."""
    match unit:
        case "share" | "distance":
            return percent(value)
        case "milliseconds":
            return f"{number(value)} ms"
    return number(value)


def difference(value: float, unit: Unit) -> str:
    """A difference with its sign: +4.1 pp, −12 ms, +0.3."""
    match unit:
        case "share" | "distance":
            return f"{points(value)} pp"
        case "milliseconds":
            return f"{signed(value)} ms"
    return signed(value)


def size(value: float, unit: Unit) -> str:
    """A difference without its sign: 4.1 pp, 12 ms, 0.3."""
    return difference(value, unit).lstrip("+")


def end(value: float | None, unit: Unit, *, infinite: str) -> str:
    """An end of an interval: as a difference, without its unit."""
    if value is None:
        return infinite
    return points(value) if unit in ("share", "distance") else signed(value)


def amount(total: float, unit: Unit) -> str:
    """What a canary's estimate is made from: 620 canary requests, 12 ticks, an exposure of 30."""
    match unit:
        case "value":
            return f"{number(total)} ticks"
        case "rate":
            return f"a canary exposure of {number(total)}"
    return f"{number(total)} canary requests"


def percent(share: float) -> str:
    """0.0102 → 1.02 %; three significant digits, no more than two after the point."""
    value = 100 * share
    digits = 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f} %"


def points(difference: float) -> str:
    """0.041 → +4.1: percentage points with a sign."""
    value = 100 * difference
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    return ("−" if value < 0 else "+") + text


def signed(value: float) -> str:
    """Three significant digits with a sign: −12, +0.315."""
    return ("−" if value < 0 else "+") + number(abs(value))


def number(value: float) -> str:
    """Three significant digits, or all of those before the point: 0.315, 34.1, 2812."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
