"""Where something is mounted: what tests look at to see that nothing is left."""

from collections import Counter
from pathlib import Path


def mounts() -> Counter[str]:
    """The places where something is mounted, but for those in temporary folders: other tests may run beside."""
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return Counter(place for place in places if "/pytest-of-" not in place and not place.startswith("/tmp/"))
