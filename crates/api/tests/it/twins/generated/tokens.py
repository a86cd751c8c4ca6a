"""Prints tokens as lines of JSON, each with what python-legacy reads from it.

Arguments: how many, and a seed. Headers, claims, JSON and Base64 are made at random around the
border between valid and invalid.
"""

import base64
import hashlib
import hmac
import json
import random
import sys
import time
import uuid

from app.config import settings
from app.security import read_access_token, read_password_reset_token

count, seed = int(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
NOW = int(time.time())


def times() -> object:
    """A point in time, hours from now, in one of the forms that a claim may have."""
    value = NOW + random.choice((-7200, 7200, 7200, 7200))
    return random.choice(
        (
            value,
            value,
            value,
            float(value),
            str(value),
            f" {value}\t",
            f"+{value}",
            f"{value:_}",
            f"_{value}",
            f"{value}__0",
            f"{value}.5",
            value + 0.5,
            -value,
            10**30,
            -(10**30),
            "9" * 4300,
            "9" * 4301,
            True,
            False,
            None,
            [],
            {},
            [value],
            "",
            "-",
            "0x10",
            float("inf"),
            float("nan"),
            "inf",
            "\u001f12345",
            "\u00a0" + str(value),
        )
    )


def anything() -> object:
    return random.choice(
        (
            None,
            True,
            False,
            0,
            1,
            0.0,
            -0.0,
            1.5,
            "",
            "x",
            [],
            ["x"],
            {},
            {"x": 1},
            "\ud800",
            10**40,
        )
    )


def header() -> dict[str, object]:
    made: dict[str, object] = {"alg": "HS256", "typ": "JWT"}
    if random.random() < 0.4:
        name = random.choice(("alg", "typ", "kid", "crit", "b64", "cty", "jwk", "x"))
        crit = (["x"], ["b64"], ["exp"], [], [1], None, "b64", {})
        alg = ("HS256", "HS384", "HS512", "none", "None", "hs256", ["HS256"], None, "RS256")
        made[name] = random.choice({"crit": crit, "alg": alg}.get(name, (anything(), anything())))
        if random.random() < 0.2:
            del made[random.choice(list(made))]
    return made


def claims() -> dict[str, object]:
    user = str(uuid.UUID(int=random.getrandbits(128)))
    subjects = (
        user,
        user,
        user.upper(),
        user.replace("-", ""),
        f"{{{user}}}",
        f"urn:uuid:{user}",
        f" {user}",
        user[:-1],
        "someone@example.com",
        "é@example.com",
        "",
        anything(),
    )
    made: dict[str, object] = {"exp": NOW + 7200, "sub": random.choice(subjects)}
    if random.random() < 0.3:
        made["exp"] = times()
    if random.random() < 0.4:
        made["nbf"] = random.choice((NOW - 7200, times()))
    for name in ("iat", "aud", "jti", "iss", "x"):
        if random.random() < 0.15:
            made[name] = times() if name == "iat" else anything()
    if random.random() < 0.1:
        del made[random.choice(list(made))]
    return made


def write(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=random.random() < 0.8)
    kind = random.random()
    if kind < 0.8:
        return text.encode("utf-8", "surrogatepass")
    if kind < 0.83:
        return text.encode(random.choice(("utf-16", "utf-32", "utf-8-sig")), "surrogatepass")
    if kind < 0.86:  # A member twice.
        return text[:-1].encode("utf-8", "surrogatepass") + b', "exp": %d}' % (NOW + 7200)
    if kind < 0.89:
        return text[:-1].encode("utf-8", "surrogatepass") + b', "n": "\xe9"}'
    if kind < 0.92:
        depth = random.choice((10, 900))
        nested = b"[" * depth + b"]" * depth
        return text[:-1].encode("utf-8", "surrogatepass") + b', "n": ' + nested + b"}"
    if kind < 0.95:
        return text.encode("utf-8", "surrogatepass") + random.choice(
            (b" ", b"\n", b"x", b"\x00", b",")
        )
    return random.choice(
        (b"", b"null", b"[]", b"{}", b'"x"', b"{'exp': 1}", b'{"exp": NaN}', b"\xff")
    )


def encode(value: bytes) -> bytes:
    text = base64.urlsafe_b64encode(value)
    kind = random.random()
    if kind < 0.9:
        return text.rstrip(b"=")
    if kind < 0.94:
        return text
    at = random.randrange(len(text) + 1)
    return (
        text[:at].rstrip(b"=")
        + random.choice((b"=", b"!", b"+", b"/", b" ", b".", b"A", b""))
        + text[at:]
    )


def token() -> bytes:
    message = encode(write(header())) + b"." + encode(write(claims()))
    key = settings.SECRET_KEY if random.random() < 0.97 else "another"
    signature = hmac.digest(key.encode(), message, hashlib.sha256)
    if random.random() < 0.02:
        signature = signature[:-1]
    made = message + b"." + encode(signature)
    return made if random.random() < 0.98 else random.choice((made + b".x", b"x." + made, made[1:]))


for _ in range(count):
    made = token().decode("ascii")
    user = read_access_token(made)
    email = read_password_reset_token(made)
    # With half a character it is nobody's address, and no database can be asked for it.
    if email is not None and any("\ud800" <= character <= "\udfff" for character in email):
        email = None
    access = None if user is None else str(user)
    print(json.dumps({"token": made, "access": access, "reset": email}))
