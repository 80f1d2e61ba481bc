"""One measured figure with its target, and small arithmetic over samples."""

import dataclasses


@dataclasses.dataclass
class Figure:
    name: str
    measured: str
    target: str = ""
    holds: bool | None = None

    def verdict(self):
        return {True: "yes", False: "**no**", None: ""}[self.holds]


def percentile(samples, percent):
    """The smallest sample that at least `percent` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def median(samples):
    return percentile(samples, 50)
