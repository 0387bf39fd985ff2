"""Text that looks like personal data and holds none, as logs are full of it."""

import base64
import random
import uuid

from planted import ALNUM, HEX, chars, digits, luhn


def order(dice: random.Random, least: int = 8, most: int = 16) -> str:
    """An order number: no card's check digit fits it."""
    while True:
        number = str(dice.randint(1, 9)) + digits(dice, dice.randint(least, most) - 1)
        if luhn(number[:-1]) != number:
            return number


def moment(dice: random.Random) -> str:
    seconds = dice.randint(1_500_000_000, 1_900_000_000)
    year, month, day = dice.randint(2018, 2029), dice.randint(1, 12), dice.randint(1, 28)
    clock = f"{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
    return dice.choice([
        str(seconds), f"{seconds}{digits(dice, 3)}", f"{seconds}{digits(dice, 6)}", f"{seconds}{digits(dice, 9)}", f"{seconds}.{digits(dice, 6)}",
        f"{year}-{month:02}-{day:02}T{clock}.{digits(dice, 6)}Z", f"{year}-{month:02}-{day:02} {clock},{digits(dice, 3)}",
        f"{day:02}/{month:02}/{year} {clock} +0200", f"{year}{month:02}{day:02}{clock.replace(':', '')}", f"{day:02}.{month:02}.{year} {clock}",
        f"{year}-{month:02}-{day:02}-{clock.replace(':', '-')}", f"{year}{month:02}{day:02}T{clock.replace(':', '')}Z", f"{day:02} Nov {year} {clock} GMT",
        f"{year}.{month:02}.{day:02}", f"{year}/{month:02}/{day:02}", f"{year} {month:02} {day:02}",
    ])


def version(dice: random.Random) -> str:
    n = dice.randint
    return dice.choice([
        f"{n(0, 20)}.{n(0, 99)}.{n(0, 999)}", f"v{n(0, 20)}.{n(0, 255)}.{n(0, 255)}.{n(0, 255)}", f"{n(1, 9)}.{n(0, 19)}.{n(0, 19)}.{n(0, 19)}",
        f"{n(0, 20)}.{n(0, 20)}.{n(0, 20)}-rc.{n(0, 20)}+build.{n(0, 9999)}", f"{n(1, 9)}.{n(0, 9)}.{n(0, 9)}+{n(2018, 2029)}{n(1, 12):02}{n(1, 28):02}",
        f"{n(80, 140)}.0.{n(1000, 9999)}.{n(1, 200)}", f"{n(20, 29)}.{n(1, 12):02}", f"0.0.0-{n(2018, 2029)}1121092611-{chars(dice, HEX, 12)}",
    ])


def price(dice: random.Random) -> str:
    return dice.choice([
        f"${dice.randint(0, 9999)}.{digits(dice, 2)}", f"{dice.randint(1, 99)} {digits(dice, 3)} {digits(dice, 3)},{digits(dice, 2)} EUR",
        f"1,{digits(dice, 3)},{digits(dice, 3)}.{digits(dice, 2)}", f"0.{digits(dice, 16)}", f"{dice.randint(1, 999)} {digits(dice, 3)} ₸",
        f"€{dice.randint(1, 99)}.{digits(dice, 3)},{digits(dice, 2)}", f"-{dice.randint(1, 9999)}.{digits(dice, 4)} USD",
    ])


def one(dice: random.Random) -> str:
    n = dice.randint
    identity = lambda: str(uuid.UUID(int=dice.getrandbits(128), version=4))
    makers = [
        lambda: f"request_id={identity()} status=200 bytes={n(0, 1 << 40)}",
        lambda: f"trace_id={chars(dice, HEX, 32)} span_id={chars(dice, HEX, 16)} traceparent=00-{chars(dice, HEX, 32)}-{chars(dice, HEX, 16)}-01",
        lambda: f"order {order(dice)} shipped in {n(0, 9999)}ms",
        lambda: f"Order #{order(dice, 10, 12)} and invoice INV-{n(2018, 2029)}-{digits(dice, 6)}, tracking 1Z{chars(dice, '0123456789ABCDEFGH', 16)}",
        lambda: f"app {version(dice)} upgraded from {version(dice)}",
        lambda: f"version {version(dice)}, release {version(dice)}",
        lambda: f"ts={moment(dice)} level=info",
        lambda: f"{moment(dice)} {moment(dice)} window",
        lambda: f"price {price(dice)} total {price(dice)}",
        lambda: f"commit {chars(dice, HEX, 40)} ({chars(dice, HEX, 7)}) by ci",
        lambda: f'{{"order_id":{order(dice)},"id":"{identity()}","at":"{moment(dice)}","price":"{price(dice)}"}}',
        lambda: f"sha256:{chars(dice, HEX, 64)} etag W/\"{chars(dice, HEX, 32)}\" md5 {chars(dice, HEX, 32).upper()}",
        lambda: f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n(80, 140)}.0.{n(0, 9999)}.{n(0, 255)} Safari/537.36",
        lambda: f"at module::path::Type<{n(0, 99)}> (src/main.rs:{n(0, 9999)}:{n(0, 99)}) 0x{chars(dice, HEX, 12)}",
        lambda: f"GET /api/v2/items/{order(dice)}?page={n(0, 99)}&sort=-price HTTP/1.1 {n(200, 599)} {n(0, 99999)} {n(0, 999)}",
        lambda: f"user-agent curl/8.{n(0, 20)}.{n(0, 9)} took {n(0, 99)}.{digits(dice, 3)}s at {n(-89, 89)}.{digits(dice, 6)},{n(-179, 179)}.{digits(dice, 6)}",
        lambda: f"image sha-{chars(dice, HEX, 12)} tokens: {n(0, 99_999)} max_token=4096 key: none",
        lambda: f"gc pause {n(1, 999)} {n(1, 999)} {n(1000, 9999)} us, heap {n(1, 9999)}M->{n(1, 9999)}M({n(1, 9999)}M)",
        lambda: f"pod shop-{chars(dice, '0123456789bcdf', 10)}-{chars(dice, 'bcdfghjklm', 5)} node ip-host {n(1, 30)} cpu {n(1, 999)}m",
        lambda: f"rows {n(1, 99)} {n(100, 999)} {n(100, 999)} {n(1000, 9999)} of {n(1, 10**9)}",
        lambda: f"blob {base64.b64encode(dice.randbytes(n(12, 60))).decode()} id {chars(dice, ALNUM, 22)}",
        lambda: f"ORD-{n(2018, 2029)}-{digits(dice, 6)} batch {digits(dice, 3)}-{digits(dice, 7)}-{digits(dice, 7)} SKU {chars(dice, 'ABCDEFGHJK', 3)}-{digits(dice, 5)}",
        lambda: f"offset={n(0, 1 << 62)} lag={n(0, 10**7)} partition={n(0, 99)} epoch_ms={n(1_500_000_000_000, 1_900_000_000_000)}",
        lambda: f"ObjectId({chars(dice, HEX, 24)}) ulid 01{chars(dice, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)} snowflake {n(10**17, 10**18)}",
        lambda: f"0x{chars(dice, HEX, 8)}: {' '.join(chars(dice, HEX, 2) for _ in range(16))}",
        lambda: f"duration_ns={n(10**9, 10**13)} size={n(1, 10**12)} ratio=0.{digits(dice, 12)} p99={n(1, 9999)}.{digits(dice, 3)}",
        lambda: f"[{n(0, 99999)}.{digits(dice, 6)}] usb {n(1, 9)}-{n(1, 9)}: new device {n(1, 99)}, idVendor={chars(dice, HEX, 4)}",
        lambda: f"isbn 978-{n(0, 9)}-{digits(dice, 2)}-{digits(dice, 6)}-{n(0, 9)} case {n(1, 99)}/{n(1, 9999)} page {n(1, 999)}-{n(1, 999)}",
        lambda: f"connection to db-{n(1, 9)}.internal:{n(1024, 65535)} closed after {n(1, 10**6)} queries, pool {n(1, 50)}/{n(50, 99)}",
        lambda: f"The job ran {n(2, 99)} times between {moment(dice)} and {moment(dice)}; {n(0, 100)}% done, {n(1, 9)} left.",
    ]
    return dice.choice(makers)()


def lines(dice: random.Random, size: int):
    made = 0
    while made < size:
        text = one(dice)
        made += len(text.encode())
        yield text
