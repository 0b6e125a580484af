"""What the makers of hostile files share: numbers that lie, and bytes changed at random."""

from __future__ import annotations

from random import Random

SIZES = (0, 1, 2, 3, 4, 28, 255, 256, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)


def havoc(content: bytes, random: Random) -> bytes:
    """A few bytes changed, cut out, put in or doubled."""
    work = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        place = random.randrange(len(work) + 1)
        end = min(len(work), place + random.choice((1, 1, 2, 4, 8, 64)))
        what = random.randrange(6)
        if what == 0 and place < len(work):
            work[place] ^= 1 << random.randrange(8)
        elif what == 1:
            work[place:end] = bytes(
                random.choice((0, 1, 127, 128, 255, random.randrange(256)))
                for _ in range(end - place)
            )
        elif what == 2:
            del work[place:end]
        elif what == 3:
            work[place:place] = work[place:end] * random.choice((1, 2, 50))
        elif what == 4:
            work[place:end] = random.choice(SIZES[:12]).to_bytes(
                4, random.choice(("big", "little"))
            )
        elif random.random() < 0.3:
            del work[place:]
    return bytes(work[:200_000])


def around(random: Random, size: int) -> bytes:
    """About so many bytes, mostly exactly."""
    return random.randbytes(max(0, min(size, 2_000) + random.choice((0,) * 8 + (-1, 1, 7, -size))))
