"""Webhooks that are not to be believed: forged, changed, signed with another secret, too old, from the future."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from tests.support.histories import Post

TOLERANCE = 300
FAR = (1, 2, 10, 60, 3_600, 86_400, 10**8)
"""Seconds beyond the tolerance."""
Forgery = tuple[bytes, str]
"""A body, and what its header says."""


def _bent(post: Post, body: bytes, dice: random.Random) -> Forgery:
    place, changed = dice.randrange(len(body)), bytearray(body)
    changed[place] ^= 1 << dice.randrange(7)
    return bytes(changed), post.signed(body)


def _cut(post: Post, body: bytes, dice: random.Random) -> Forgery:
    return body[: dice.randrange(len(body))], post.signed(body)


def _longer(post: Post, body: bytes, dice: random.Random) -> Forgery:
    return body + b" " * dice.randint(1, 9), post.signed(body)


def _other_secret(post: Post, body: bytes, dice: random.Random) -> Forgery:
    known = post.beside.webhook_secret
    others = (known[:-1], known + "0", known.upper(), known.removeprefix("whsec_"), "", post.beside.secret_key, "x")
    other = dice.choice(others)
    return body, post.signed(body, secret=other or " ")


def _stale(post: Post, body: bytes, dice: random.Random) -> Forgery:
    return body, post.signed(body, at=time.time() - TOLERANCE - dice.choice(FAR))


def _early(post: Post, body: bytes, dice: random.Random) -> Forgery:
    return body, post.signed(body, at=time.time() + TOLERANCE + 1 + dice.choice(FAR))


def _moved(post: Post, body: bytes, dice: random.Random) -> Forgery:
    """The time is another one than was signed."""
    old = post.signed(body, at=time.time() - TOLERANCE - dice.choice(FAR))
    return body, f"t={int(time.time())},{old.partition(',')[2]}"


def _other_scheme(post: Post, body: bytes, dice: random.Random) -> Forgery:
    return body, post.signed(body, scheme=dice.choice(("v0", "v2", "V1", " v1x", "")))


def _bent_digest(post: Post, body: bytes, dice: random.Random) -> Forgery:
    head, _, digest = post.signed(body).rpartition("=")
    place = dice.randrange(len(digest))
    other = dice.choice([one for one in "0123456789abcdef" if one != digest[place]])
    ways = (digest[:place] + other + digest[place + 1 :], digest[:place], digest + "0", digest[::-1] + "z")
    return body, f"{head}={dice.choice(ways)}"


def _no_header(post: Post, body: bytes, dice: random.Random) -> Forgery:
    good = post.signed(body)
    at, _, digest = good.partition(",")
    broken = (
        "",
        "t=",
        at,
        digest,
        f"t=now,{digest}",
        f"t=-5,{digest}",
        f"{at},{good}",
        f"t=1e9,{digest}",
        "v1",
        "=" * 40,
    )
    return body, dice.choice((*broken, f"t={'9' * 13},{digest}", good + "," * 5_000))


def _no_event(post: Post, body: bytes, dice: random.Random) -> Forgery:
    """Signed well, but no event: whoever has the secret sends nothing like that."""
    event = json.loads(body)
    without = dice.choice(("id", "type", "created", "data"))
    bodies: tuple[Any, ...] = (
        {name: value for name, value in event.items() if name != without},
        [],
        7,
        None,
        {"data": {}},
    )
    said = json.dumps(dice.choice(bodies)).encode()
    wrong = dice.choice((said, b"", b"{", b"\xff\xfe", b"null"))
    return wrong, post.signed(wrong)


FORGERIES: dict[str, Callable[[Post, bytes, random.Random], Forgery]] = {
    "bent body": _bent,
    "cut body": _cut,
    "longer body": _longer,
    "other secret": _other_secret,
    "stale": _stale,
    "early": _early,
    "moved time": _moved,
    "other scheme": _other_scheme,
    "bent digest": _bent_digest,
    "no header": _no_header,
    "no event": _no_event,
}


async def believed(post: Post, bodies: list[bytes], *, each: int, dice: random.Random) -> list[str]:
    """Bring so many forgeries of each kind: what was not answered with 400, and what was kept."""
    before, found = await post.inbox(), list[str]()
    for name, forge in FORGERIES.items():
        for _ in range(each):
            body, signature = forge(post, dice.choice(bodies), dice)
            status = await post.bring(body, signature)
            if status != 400:
                found.append(f"{name}: {status}")
    kept = await post.inbox() - before
    return found + ([f"{kept} rows were kept"] if kept else [])
