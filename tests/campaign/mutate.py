"""Damage to bytes, of the kinds that transfers, disks and attackers do."""

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def flip(data: bytes, rng, bits=1, first=0, last=None) -> bytes:
    """`bits` bits of `data[first:last]` the other way round."""
    out = bytearray(data)
    last = len(out) if last is None else min(last, len(out))
    for _ in range(bits if last > first else 0):
        out[rng.randrange(first, last)] ^= 1 << rng.randrange(8)
    return bytes(out)


def _place(data, rng):
    """Somewhere in `data`, half of the time in its first hundred bytes, where formats keep their numbers."""
    return rng.randrange(max(1, min(len(data), rng.choice([100, len(data)]))))


def _flips(data, rng, other):
    return flip(data, rng, rng.choice([1, 1, 2, 5, 20, 100]), last=rng.choice([100, None]))


def _byte(data, rng, other):
    at = _place(data, rng)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _number(data, rng, other):
    at, size = _place(data, rng), rng.choice([1, 2, 4, 8])
    number = rng.choice(NUMBERS) % 256**size
    return data[:at] + number.to_bytes(size, rng.choice(["big", "little"])) + data[at + size :]


def _truncated(data, rng, other):
    return data[: _place(data, rng)]


def _removed(data, rng, other):
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice([1, 2, 4, 16, 256]) :]


def _inserted(data, rng, other):
    at = _place(data, rng)
    return data[:at] + rng.randbytes(rng.choice([1, 2, 4, 16, 256])) + data[at:]


def _repeated(data, rng, other):
    at, size = _place(data, rng), rng.choice([4, 16, 256, 4096])
    return data[:at] + data[at : at + size] * rng.choice([2, 3, 50]) + data[at + size :]


def _spliced(data, rng, other):
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _blanked(data, rng, other):
    at, size = _place(data, rng), rng.choice([4, 16, 256, 4096])
    return data[:at] + bytes([rng.choice([0, 255])]) * len(data[at : at + size]) + data[at + size :]


KINDS = (_flips, _flips, _byte, _number, _number, _truncated, _removed, _inserted, _repeated, _spliced, _blanked)


def damaged(data: bytes, rng, other: bytes) -> bytes:
    """`data` with one to three kinds of damage; `other` is what a splice goes on with."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        data = rng.choice(KINDS)(data, rng, other)
    return data
