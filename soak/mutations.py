"""Random damage to bytes, and sizes that headers lie with."""

from __future__ import annotations

from random import Random

SIZES = (0, 1, 2, 3, 4, 28, 255, 256, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)
MAX_BYTES = 200_000


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """Returns the bytes with a few of them changed, deleted, inserted or repeated."""
    mutated = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        start = random.randrange(len(mutated) + 1)
        end = min(len(mutated), start + random.choice((1, 1, 2, 4, 8, 64)))
        mutation = random.randrange(6)
        if mutation == 0 and start < len(mutated):
            mutated[start] ^= 1 << random.randrange(8)
        elif mutation == 1:
            mutated[start:end] = bytes(
                random.choice((0, 1, 127, 128, 255, random.randrange(256)))
                for _ in range(end - start)
            )
        elif mutation == 2:
            del mutated[start:end]
        elif mutation == 3:
            mutated[start:start] = mutated[start:end] * random.choice((1, 2, 50))
        elif mutation == 4:
            size, order = random.choice(SIZES[:12]), random.choice(("big", "little"))
            mutated[start:end] = size.to_bytes(4, order)
        elif random.random() < 0.3:
            del mutated[start:]
    return bytes(mutated[:MAX_BYTES])


def random_payload(random: Random, size: int) -> bytes:
    """Returns random bytes, mostly of the given size, sometimes a few more, fewer or none."""
    return random.randbytes(max(0, min(size, 2_000) + random.choice((0,) * 8 + (-1, 1, 7, -size))))
