"""Values of every kind, made anew from a seed: no list of known ones that a detector could have been fitted to."""

import base64
import ipaddress
import json
import random
import string

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

ALNUM = string.ascii_letters + string.digits
WORD = ALNUM + "_-"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"

# Prefixes of the networks and how long their numbers are.
CARDS = [
    ("4", (13, 16, 19)), ("51", (16,)), ("53", (16,)), ("55", (16,)), ("2221", (16,)), ("2720", (16,)), ("2450", (16,)),
    ("34", (15,)), ("37", (15,)), ("6011", (16, 19)), ("644", (16,)), ("65", (16,)), ("622126", (16,)), ("622925", (16,)),
    ("300", (14,)), ("305", (14,)), ("36", (14,)), ("38", (14,)), ("3528", (16,)), ("3589", (16, 19)), ("2131", (15,)),
    ("1800", (15,)), ("62", (16, 17, 18, 19)), ("81", (16,)), ("2200", (16,)), ("2204", (16,)), ("9792", (16,)),
    ("5018", (12, 13, 14, 15, 16)), ("5020", (12, 16)), ("5038", (12, 16, 18)), ("5893", (12, 16)), ("6304", (12, 13, 16, 19)),
    ("6759", (12, 16, 18)), ("6761", (12, 13, 15)), ("6762", (12, 17)), ("6763", (12, 14)), ("5612", (12, 13, 15)),
    ("5790", (12, 14, 16)), ("5811", (12, 16)), ("60", (16,)), ("6521", (16,)), ("8600", (16,)),
]

# Countries and the shape of an account number behind the two check digits: n a digit, a a letter, c either.
IBANS = {
    "AD": "nnnnnnnncccccccccccc", "AE": "n" * 19, "AL": "nnnnnnnncccccccccccccccc", "AT": "n" * 16, "AZ": "aaaacccccccccccccccccccc",
    "BA": "n" * 16, "BE": "n" * 12, "BG": "aaaannnnnncccccccc", "BH": "aaaacccccccccccccc", "BR": "n" * 23 + "ac", "CH": "nnnnncccccccccccc",
    "CR": "n" * 18, "CY": "nnnnnnnncccccccccccccccc", "CZ": "n" * 20, "DE": "n" * 18, "DK": "n" * 14, "DO": "cccc" + "n" * 20,
    "EE": "n" * 16, "EG": "n" * 25, "ES": "n" * 20, "FI": "n" * 14, "FO": "n" * 14, "FR": "n" * 10 + "c" * 11 + "nn", "GB": "aaaa" + "n" * 14,
    "GE": "aa" + "n" * 16, "GI": "aaaa" + "c" * 15, "GL": "n" * 14, "GR": "nnnnnnn" + "c" * 16, "GT": "c" * 24, "HR": "n" * 17,
    "HU": "n" * 24, "IE": "aaaa" + "n" * 14, "IL": "n" * 19, "IS": "n" * 22, "IT": "a" + "n" * 10 + "c" * 12, "JO": "aaaannnn" + "c" * 18,
    "KW": "aaaa" + "c" * 22, "KZ": "nnn" + "c" * 13, "LB": "nnnn" + "c" * 20, "LI": "nnnnn" + "c" * 12, "LT": "n" * 16, "LU": "nnn" + "c" * 13,
    "LV": "aaaa" + "c" * 13, "MC": "n" * 10 + "c" * 11 + "nn", "MD": "c" * 20, "ME": "n" * 18, "MK": "nnn" + "c" * 10 + "nn", "MT": "aaaannnnn" + "c" * 18,
    "NL": "aaaa" + "n" * 10, "NO": "n" * 11, "PK": "aaaa" + "c" * 16, "PL": "n" * 24, "PT": "n" * 21, "QA": "aaaa" + "c" * 21, "RO": "aaaa" + "c" * 16,
    "RS": "n" * 18, "SA": "nn" + "c" * 18, "SE": "n" * 20, "SI": "n" * 15, "SK": "n" * 20, "SM": "a" + "n" * 10 + "c" * 12, "TN": "n" * 20,
    "TR": "nnnnnn" + "c" * 16, "UA": "nnnnnn" + "c" * 19, "VG": "aaaa" + "n" * 16, "XK": "n" * 16,
}


def chars(dice: random.Random, alphabet: str, count: int) -> str:
    return "".join(dice.choices(alphabet, k=count))


def digits(dice: random.Random, count: int) -> str:
    return chars(dice, string.digits, count)


def luhn(body: str) -> str:
    total = sum(int(d) if i % 2 else (int(d) * 2 - 9 if int(d) > 4 else int(d) * 2) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def in_groups(text: str, sizes: list[int], gap: str) -> str:
    groups, at = [], 0
    for size in sizes + [4] * 9:
        if at < len(text):
            groups.append(text[at : at + size])
            at += size
    return gap.join(groups)


def card(dice: random.Random) -> str:
    prefix, lengths = dice.choice(CARDS)
    number = luhn(prefix + digits(dice, dice.choice(lengths) - len(prefix) - 1))
    sizes = {15: [4, 6, 5], 14: [4, 6, 4]}.get(len(number), []) if number[0] == "3" else []
    return in_groups(number, sizes, dice.choice(["", "", " ", "-", " ", "\u00a0", "."])) if dice.random() < 0.6 else number


def iban(dice: random.Random) -> str:
    country = dice.choice(list(IBANS))
    alphabets = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}
    account = "".join(dice.choice(alphabets[c]) for c in IBANS[country])
    check = 98 - int("".join(str(int(c, 36)) for c in account + country + "00")) % 97
    whole = f"{country}{check:02}{account}"
    return dice.choice([whole, whole, in_groups(whole, [], " "), in_groups(whole, [], "-"), in_groups(whole, [], "\u00a0"), whole.lower()])


def ip(dice: random.Random) -> str:
    if dice.random() < 0.6:
        return f"{dice.choice([10, 172, 192, dice.randint(1, 223)])}.{dice.randint(0, 255)}.{dice.randint(0, 255)}.{dice.randint(20, 254)}"
    whole = ipaddress.IPv6Address((0x2A02 << 112) | dice.getrandbits(112) if dice.random() < 0.7 else (0xFE80 << 112) | dice.getrandbits(64))
    if dice.random() < 0.3:
        whole = ipaddress.IPv6Address(int(whole) & ~(0xFFFFFFFF << 32))
    return dice.choice([whole.compressed, whole.exploded, whole.compressed.upper()])


def jwt(dice: random.Random) -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

    head = {"alg": dice.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    if dice.random() < 0.4:
        head = {"kid": chars(dice, HEX, 12), **head}
    body = {"sub": digits(dice, 9), "iat": dice.randint(1_600_000_000, 1_900_000_000), "role": dice.choice(["anon", "service_role", "user"])}
    return f"{part(head)}.{part(body)}.{chars(dice, WORD, 42)}x"


KEYS = {
    "openai": lambda d: f"sk-{d.choice(['proj', 'svcacct', 'admin'])}-{chars(d, WORD, d.randint(58, 74))}T3BlbkFJ{chars(d, WORD, d.randint(57, 73))}a",
    "openai_old": lambda d: f"sk-{chars(d, ALNUM, 20)}T3BlbkFJ{chars(d, ALNUM, 20)}",
    "anthropic": lambda d: f"sk-ant-{d.choice(['api03', 'admin01'])}-{chars(d, WORD, 93)}AA",
    "google": lambda d: f"AIza{chars(d, WORD, 34)}{d.choice(ALNUM)}",
    "aws": lambda d: d.choice(["AKIA", "ASIA", "ABIA", "ACCA", "A3T" + d.choice(BASE32)]) + chars(d, BASE32, 16),
    "elevenlabs": lambda d: f"sk_{chars(d, HEX, 48)}",
    "stripe": lambda d: f"{d.choice(['sk', 'rk'])}_{d.choice(['test', 'live', 'prod'])}_{chars(d, ALNUM, d.choice([10, 24, 32, 99]))}",
    "github": lambda d: f"gh{d.choice('pousr')}_{chars(d, ALNUM, 36)}",
    "github_pat": lambda d: f"github_pat_{chars(d, ALNUM, 22)}_{chars(d, ALNUM, 59)}",
    "supabase": lambda d: f"sb_{d.choice(['secret', 'publishable'])}_{chars(d, WORD, 22)}_{chars(d, ALNUM, 8)}",
    "slack": lambda d: f"xoxb-{digits(d, 11)}-{digits(d, 12)}-{chars(d, ALNUM, 24)}",
    "sendgrid": lambda d: f"SG.{chars(d, WORD, 22)}.{chars(d, WORD, 42)}x",
    "huggingface": lambda d: f"hf_{chars(d, string.ascii_letters, 34)}",
    "perplexity": lambda d: f"pplx-{chars(d, ALNUM, 48)}",
    "twilio": lambda d: f"SK{chars(d, HEX, 32)}",
    "private_key": lambda d: f"-----BEGIN {d.choice(['', 'RSA ', 'EC ', 'OPENSSH '])}PRIVATE KEY-----\n{chars(d, ALNUM + '+/', 64)}\n{chars(d, ALNUM + '+/', 40)}==\n-----END PRIVATE KEY-----",
}

# What people write around a number, in the languages of the regions that it is needed for.
ANNOUNCED = [
    "Phone: {}", "phone {}", "tel. {}", "Tel: {}", "TEL {}", "call {} before noon", "Call me at {}", "call us on {}", "mobile {}", "Mobile number: {}",
    "my number is {}", "cell: {}", "fax {}", "sms sent to {}", "SMS to {} failed", "WhatsApp {}", "reach me at {}", "contact number {}", "dial {} now",
    "phone_number={}", '{{"phone": "{}"}}', '{{"phoneNumber":"{}","ok":true}}', "customerPhone: {}", "msisdn={}", "callback phone no. {}",
    "Telefon: {}", "Telefonnummer {}", "Tel.-Nr. {}", "Handy {}", "Mobil: {}", "Rufnummer {}", "Téléphone : {}", "tél. {}", "Portable: {}", "appelez le {}",
    "teléfono {}", "Tel/Fax: {}", "móvil {}", "cellulare {}", "telefone: {}", "celular {}", "telefoon {}", "numer telefonu {}", "puhelin {}", "telefonnr {}",
    "телефон {}", "Телефон: {}", "тел. {}", "тел: {}", "моб. {}", "мобильный {}", "звоните {}", "номер телефона {}", "контактный телефон: {}", "телефоны {}",
    "ұялы телефон {}", "qo'ng'iroq telefon {}", "電話 {}", "手机号 {}", "전화 {}", "هاتف {}", "טלפון {}",
]


def valid_number(dice: random.Random, region: str) -> phonenumbers.PhoneNumber | None:
    """A number like the example of a region, with other last digits when those are assigned too."""
    kind = dice.choice([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE])
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    if example is None:
        return None
    for _ in range(4):
        national = phonenumbers.national_significant_number(example)
        changed = national[: len(national) - 4] + digits(dice, min(4, len(national)))
        other = phonenumbers.PhoneNumber()
        other.merge_from(example)
        other.national_number = int(changed)
        if phonenumbers.is_valid_number_for_region(other, region):
            return other
    return example


def phone(dice: random.Random, region: str) -> tuple[str, str] | None:
    """A number as somebody there would write it, and the text around it: `{}` stands for the number."""
    number = valid_number(dice, region)
    if number is None:
        return None
    abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    plain = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    gap = dice.choice([" ", "\u00a0", ".", "-", "\u202f", " "])
    way = dice.randrange(8)
    if way == 0:
        return plain, "{}"
    if way in (1, 2):
        return abroad.replace(" ", gap).replace("-", gap), "{}"
    if way == 3:
        return ("00" + abroad[1:]).replace(" ", gap).replace("-", gap), dice.choice(ANNOUNCED + ["{}"] * 20) if gap != "" else "{}"
    if way == 4:
        return "00" + plain[1:], dice.choice(ANNOUNCED)
    if way == 5:
        return home, dice.choice(ANNOUNCED)
    if way == 6:
        return home.replace(" ", gap).replace("-", gap), dice.choice(ANNOUNCED)
    return "".join(c for c in home if c.isdigit()), dice.choice(ANNOUNCED)
