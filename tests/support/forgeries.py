"""Forgeries of texts that somebody signed or keeps secret: mutators for every form, and the count of those that are taken.

A text that differs in bytes and stands for the same (a code with blanks around it, the twin `(r, n - s)` of an ECDSA signature) is
no forgery where its target says so by `same`: it maps a text to the one spelling it stands for, and nothing else is forgiven.
"""

import base64
import random
import string
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lastlight.kernel.base64url import decode_base64url, encode_base64url

ALPHABET = string.ascii_letters + string.digits + "-_"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
LOW_ORDER = (
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
)
"""Points of small order on Ed25519, and other spellings of some."""
FOREIGN = ("\x00", " ", "\n", "\t", "=", "+", "/", ".", "%", "\u200b", "\ufeff", "é", "\uff21", "\ud7ff")


def itself(text: str) -> str:
    """Every byte counts."""
    return text


@dataclass(slots=True)
class Target:
    """Something that is signed or secret, and the product's own function that says whether a text is it."""

    name: str
    genuine: Sequence[str]
    accepts: Callable[[str], Awaitable[bool]]
    same: Callable[[str], str] = itself
    crafted: Sequence[str] = ()
    """Attacks on this form alone."""
    signed_at: int = -1
    """Which of its parts (cut at `cut`) is the signature."""
    cut: str = "."
    most: int = 1_000_000
    """How many at most, where each costs a transaction."""


@dataclass(slots=True)
class Tried:
    """How many were tried, and which were taken."""

    count: int = 0
    accepted: list[str] = field(default_factory=list[str])


async def try_forgeries(target: Target, count: int, rng: random.Random) -> Tried:
    """Try the crafted attacks, then each place and bit, then at random until `count`; the genuine ones must be taken."""
    for text in target.genuine:
        assert await target.accepts(text), f"{target.name}: the genuine one is refused, so refusing proves nothing"
    known = {target.same(text) for text in target.genuine}
    tried = Tried()
    seen: set[str] = set()
    every = chain(target.crafted, _spread(list(systematic(target)), rng), at_random(target, rng))
    for text in islice(every, 4 * count + len(target.crafted)):
        if text in seen or target.same(text) in known:
            continue
        seen.add(text)
        tried.count += 1
        if await target.accepts(text):
            tried.accepted.append(f"{target.name}: {text[:300]!r}")
        if tried.count >= max(min(count, target.most), len(target.crafted)):
            break
    return tried


def _spread(texts: list[str], rng: random.Random) -> Iterable[str]:
    rng.shuffle(texts)
    return texts


def systematic(target: Target) -> Generator[str]:
    """Another letter at each place, each bit of each part, each way to spell it otherwise, each length."""
    text = target.genuine[0]
    for place in range(len(text)):
        for letter in {chr(ord(text[place]) ^ 1), chr(ord(text[place]) ^ 32), ALPHABET[place % 64]}:
            yield text[:place] + letter + text[place + 1 :]
        yield text[:place]
        yield text[place + 1 :]
    for number, part in enumerate(text.split(target.cut)):
        raw = decode_base64url(part)
        if raw:
            for bit in range(len(raw) * 8):
                bent = bytearray(raw)
                bent[bit // 8] ^= 1 << bit % 8
                yield _with_part(target, text, number, encode_base64url(bytes(bent)))
        for spelled in spellings(part):
            yield _with_part(target, text, number, spelled)
    for signature in signatures(target, text):
        yield _with_part(target, text, target.signed_at, signature)


def spellings(part: str) -> list[str]:
    """The same bytes written otherwise, and near misses."""
    swapped = part.replace("-", "+").replace("_", "/")
    spare = [part[:-1] + letter for letter in ALPHABET] if part else []
    coded = "".join(f"%{ord(letter):02X}" if letter.isascii() else letter for letter in part)
    inside = [part[: len(part) // 2] + sign + part[len(part) // 2 :] for sign in FOREIGN]
    around = [*(sign + part for sign in FOREIGN), *(part + sign for sign in FOREIGN)]
    return [
        *(part + "=" * n for n in (1, 2, 3, 4)),
        swapped,
        *spare,
        *inside,
        *around,
        coded,
        quote(part + "\n"),
        part.swapcase(),
        part.lower(),
        part.upper(),
        part[::-1],
        part * 2,
        "",
        base64.b64encode(part.encode()).decode(),
        encode_base64url(part.encode()),
    ]


def signatures(target: Target, text: str) -> list[str]:
    """Signatures that proved weak elsewhere: zeros, small orders, another form, a scalar beyond the order."""
    raw = decode_base64url(text.split(target.cut)[target.signed_at])
    if raw is None or len(raw) < 64:
        return []
    r, s = raw[-64:-32], raw[-32:]
    x, y = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    beyond = int.from_bytes(s, "little") + ED25519_ORDER
    found = [bytes(64), b"\xff" * 64, r + bytes(32), bytes(32) + s, s + r, raw[-64:][::-1], bytes(31) + b"\x01" * 33]
    found += [point + scalar for point in LOW_ORDER for scalar in (bytes(32), s, (1).to_bytes(32, "little"))]
    found += [encode_dss_signature(x, y), encode_dss_signature(0, 0), encode_dss_signature(x, P256_ORDER - y)]
    found += [number.to_bytes(32, "big") * 2 for number in (1, P256_ORDER - 1, P256_ORDER)]
    found += [r + beyond.to_bytes(32, "little")] if beyond < 2**256 else []
    found += [bytes(32) + raw[-64:], raw[-64:] + b"\x00", b"\x00" + raw[-64:]]
    return [encode_base64url(raw[:-64] + one) for one in found]


def at_random(target: Target, rng: random.Random) -> Generator[str]:
    """Without end: one to three changes of a genuine text, or parts of several put together."""
    while True:
        text = rng.choice(target.genuine)
        kind = rng.randrange(8)
        if kind == 0:
            yield _spliced(target, rng)
        elif kind == 1:
            parts = text.split(target.cut)
            rng.shuffle(parts)
            yield target.cut.join(parts)
        elif kind == 2:
            number = rng.randrange(text.count(target.cut) + 1)
            size = len(decode_base64url(text.split(target.cut)[number]) or b"") or rng.randrange(1, 80)
            yield _with_part(target, text, number, encode_base64url(rng.randbytes(size)))
        else:
            for _ in range(rng.randrange(1, 4)):
                text = _changed(text, rng)
            yield text


def _changed(text: str, rng: random.Random) -> str:
    if not text:
        return rng.choice(ALPHABET)
    place, letter = rng.randrange(len(text)), rng.choice(ALPHABET)
    match rng.randrange(6):
        case 0:
            return text[:place] + text[place + 1 :]
        case 1:
            return text[:place] + letter + text[place:]
        case 2:
            return text[:place]
        case 3:
            return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        case 4:
            return text[:place] + rng.choice(FOREIGN) + text[place + 1 :]
        case _:
            return text[:place] + letter + text[place + 1 :]


def _spliced(target: Target, rng: random.Random) -> str:
    one, other = rng.choice(target.genuine), rng.choice(target.genuine)
    if rng.random() < 0.5 or target.cut not in one:
        place = rng.randrange(len(one))
        return one[:place] + other[place:]
    mixed = zip(one.split(target.cut), other.split(target.cut), strict=False)
    return target.cut.join(rng.choice(pair) for pair in mixed)


def _with_part(target: Target, text: str, number: int, part: str) -> str:
    parts = text.split(target.cut)
    parts[number] = part
    return target.cut.join(parts)


def low_s(signature: str) -> str:
    """The one of an ECDSA signature's two twins with the smaller `s`: whoever sees one can write the other, over the same message."""
    raw = decode_base64url(signature)
    if raw is None or len(raw) != 64:
        return signature
    s = int.from_bytes(raw[32:], "big")
    return encode_base64url(raw[:32] + min(s, P256_ORDER - s).to_bytes(32, "big")) if 0 < s < P256_ORDER else signature
