"""Planted values and the forms in which they are looked for.

Every planted value holds a mark of its family and a number, so that one search per mark and form finds all of them,
whole or cut off, and the number says where it had been planted.
"""

import base64
import json
import zlib
from urllib.parse import quote

# What the random part of a value begins with; the alphabets of the key formats differ, so there are several.
MARKS = {
    "word": "zq9xw7kv",
    "letters": "ZQXWKVJY",
    "hex": "f0a9c0de77b1",
    "card": "4539148803",
    "phone": "44791112",
    "phone spaced": "44 7911 12",
    "iban": "370400440532",
    "iban spaced": "3704 0044 0532",
    "address": "198.51.100.2",
}


def word(number, length):
    """Letters and digits, as most keys have them."""
    return _fill(MARKS["word"] + f"{number:05d}", length, "7hT2mQpR8sLd3FgJ")


def letters(number, length):
    """Upper-case letters and the digits 2 to 7."""
    digits = "".join("234567AB"[int(d, 8)] for d in f"{number:o}".rjust(6, "0"))
    return _fill(MARKS["letters"] + digits, length, "QWERTYUPLKJH")


def hexadecimal(number, length):
    """Lower-case hex."""
    return _fill(MARKS["hex"] + f"{number:06x}", length, "9c4e1b7d")


def _fill(text, length, filler):
    return (text + filler * (length // len(filler) + 1))[:length]


def card(number):
    """A card number with a valid check digit."""
    digits = MARKS["card"] + f"{number:05d}"
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(digits)]
    total = sum(d - 9 if d > 9 else d for d in doubled)
    return digits + str(-total % 10)


def iban(number):
    """A German account with valid check digits."""
    account = MARKS["iban"] + f"{number:06d}"
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def github(number):
    """A GitHub token with the checksum that its last six characters are."""
    body = word(number, 30)
    crc, alphabet, out = zlib.crc32(body.encode()), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", ""
    while crc:
        crc, digit = divmod(crc, 62)
        out = alphabet[digit] + out
    return f"ghp_{body}{out.rjust(6, '0')}"


def jwt(number):
    """A token that decodes."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': word(number, 20), 'role': 'user'})}.{word(number, 43)}"


# What must never survive in any text, wherever it stands.
DETECTED = {
    "email": lambda n: f"ada.{word(n, 14)}@planted.example",
    "phone": lambda n: f"+{MARKS['phone']}{n % 10000:04d}",
    "phone spaced": lambda n: f"+{MARKS['phone spaced']}{n % 10000:04d}",
    "card": card,
    "card spaced": lambda n: " ".join(card(n)[i : i + 4] for i in range(0, 16, 4)),
    "iban": iban,
    "jwt": jwt,
    "openai": lambda n: f"sk-proj-{word(n, 60)}T3BlbkFJ{word(n, 60)}",
    "openai old": lambda n: f"sk-{word(n, 20)}T3BlbkFJ{word(n, 20)}",
    "anthropic": lambda n: f"sk-ant-api03-{word(n, 93)}AA",
    "google": lambda n: f"AIza{word(n, 35)}",
    "aws": lambda n: f"AKIA{letters(n, 16)}",
    "elevenlabs": lambda n: f"sk_{hexadecimal(n, 48)}",
    "stripe": lambda n: f"sk_live_{word(n, 24)}",
    "github": github,
    "slack": lambda n: f"xoxb-{n:012d}-{n:012d}-{word(n, 24)}",
    "private key": lambda n: f"-----BEGIN PRIVATE KEY-----\n{word(n, 64)}\n-----END PRIVATE KEY-----",
}

# Cards written in groups break their mark; the first twelve digits are enough to call it a leak.
GROUPED = " ".join(("4539", "1488", "03"))


def forms():
    """Every (mark, form, bytes to look for)."""
    found = []
    for name, mark in {**MARKS, "card spaced": GROUPED}.items():
        raw = mark.encode()
        found.append((name, "plain", raw))
        found.append((name, "hex", raw.hex().encode()))
        found.append((name, "percent", "".join(f"%{b:02X}" for b in raw).encode()))
        found.append((name, "json escaped", "".join(f"\\u{b:04x}" for b in raw).encode()))
        found.append((name, "utf-16", mark.encode("utf-16-le")))
        if quote(mark, safe="") != mark:
            found.append((name, "percent", quote(mark, safe="").encode()))
        for shift in range(3):
            text = base64.b64encode(b"\0" * shift + raw)
            # The characters at both ends also hold bits of the neighbours.
            core = text[(0, 2, 3)[shift] :].rstrip(b"=")
            core = core[: len(core) - (1 if (shift + len(raw)) % 3 else 0)]
            found.append((name, "base64", core))
            found.append((name, "base64", core.replace(b"+", b"-").replace(b"/", b"_")))
    return sorted(set(found))
