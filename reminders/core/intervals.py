"""How sure a share is that was counted in few cases."""

from math import sqrt
from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)


def wilson(*, hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after Wilson (J Am Stat Assoc 1927;22:209-212), from 0 to 1.

    Of nothing, nothing is known: 0 to 1. Raises ValueError where there are more hits than cases, or fewer than none.
    """
    if not 0 <= hits <= of:
        raise ValueError("There are as many hits as cases at most, and none at least.")
    if not of:
        return 0.0, 1.0
    share, squared = hits / of, _Z * _Z / of
    middle, half = share + squared / 2, _Z * sqrt(share * (1 - share) / of + squared / (4 * of))
    return max(0.0, (middle - half) / (1 + squared)), min(1.0, (middle + half) / (1 + squared))
