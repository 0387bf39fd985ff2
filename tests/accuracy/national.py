"""Numbers that states give to people, as faker makes them, behind the words that people write before them."""

import random

import faker

from planted import digits

# Kind, locale, how to make one, words before it.
MADE = [
    ("us_ssn", "en_US", lambda f: f.ssn(), ["{}", "SSN {}", "ssn: {}", "social security number {}"]),
    ("us_itin", "en_US", lambda f: f.itin(), ["ITIN {}", "itin: {}", "taxpayer id {}"]),
    ("uk_nino", "en_GB", lambda f: f.ssn(), ["{}", "NINO {}", "national insurance number: {}"]),
    ("de_tax", "de_DE", None, ["Steuer-ID {}", "Steueridentifikationsnummer: {}", "IdNr. {}"]),
    ("fr_nir", "fr_FR", lambda f: f.ssn(), ["NIR {}", "numéro de sécurité sociale : {}", "sécu {}"]),
    ("it_cf", "it_IT", lambda f: f.ssn(), ["{}", "codice fiscale {}", "CF: {}"]),
    ("es_nif", "es_ES", lambda f: f.nif(), ["NIF {}", "DNI: {}", "dni {}"]),
    ("es_nie", "es_ES", lambda f: f.nie(), ["NIE {}", "nie: {}"]),
    ("pl_pesel", "pl_PL", lambda f: f.pesel(), ["PESEL {}", "pesel: {}"]),
    ("nl_bsn", "nl_NL", lambda f: f.ssn(), ["BSN {}", "bsn: {}", "burgerservicenummer {}"]),
    ("be_nn", "nl_BE", lambda f: f.ssn(), ["rijksregisternummer {}", "NISS {}"]),
    ("se_pnr", "sv_SE", lambda f: f.ssn(), ["personnummer {}", "pnr: {}"]),
    ("fi_hetu", "fi_FI", lambda f: f.ssn(), ["{}", "henkilötunnus {}", "hetu: {}"]),
    ("br_cpf", "pt_BR", lambda f: f.cpf(), ["{}", "CPF {}", "cpf: {}"]),
    ("ru_snils", "ru_RU", None, ["{}", "СНИЛС {}", "снилс: {}"]),
    ("ru_inn", "ru_RU", lambda f: f.individuals_inn(), ["ИНН {}", "инн: {}", "INN {}"]),
    ("ru_passport", "ru_RU", None, ["паспорт {}", "Паспорт серия {}", "passport {}"]),
    ("kz_iin", "ru_RU", None, ["ИИН {}", "иин: {}", "IIN {}", "ЖСН {}", "iin={}"]),
    ("uk_nhs", "en_GB", None, ["NHS number {}", "NHS {}", "nhs no: {}"]),
    ("us_aba", "en_US", lambda f: f.aba(), ["routing number {}", "ABA {}", "routing: {}"]),
]


def weighted(number: str, weights: list[int]) -> int:
    return sum(int(d) * w for d, w in zip(number, weights))


def born(dice: random.Random) -> str:
    return f"{dice.randint(0, 99):02}{dice.randint(1, 12):02}{dice.randint(1, 28):02}"


def kz_iin(dice: random.Random) -> str:
    while True:
        body = born(dice) + str(dice.randint(1, 6)) + digits(dice, 4)
        check = weighted(body, list(range(1, 12))) % 11
        if check == 10:
            check = weighted(body, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11
        if check < 10:
            return body + str(check)


def ru_snils(dice: random.Random) -> str:
    body = f"{dice.randint(2, 999):03}{digits(dice, 6)}"
    check = weighted(body, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100
    return f"{body[:3]}-{body[3:6]}-{body[6:]} {check:02}"


def uk_nhs(dice: random.Random) -> str:
    while True:
        body = digits(dice, 9)
        check = 11 - weighted(body, list(range(10, 1, -1))) % 11
        if check != 10:
            whole = body + str(check % 11)
            return f"{whole[:3]} {whole[3:6]} {whole[6:]}" if dice.random() < 0.6 else whole


def de_tax(dice: random.Random) -> str:
    """Of the first ten digits one stands twice and one is missing; ISO 7064 gives the eleventh."""
    while True:
        pool = dice.sample("0123456789", 9)
        body = pool + [dice.choice(pool)]
        dice.shuffle(body)
        if body[0] == "0":
            continue
        product = 10
        for digit in body:
            total = (int(digit) + product) % 10 or 10
            product = total * 2 % 11
        whole = "".join(body) + str((11 - product) % 10)
        return f"{whole[:2]} {whole[2:5]} {whole[5:8]} {whole[8:]}" if dice.random() < 0.5 else whole


def ru_passport(dice: random.Random) -> str:
    return f"{digits(dice, 2)} {digits(dice, 2)} {digits(dice, 6)}" if dice.random() < 0.5 else f"{digits(dice, 4)} {digits(dice, 6)}"


OWN = {"kz_iin": kz_iin, "ru_snils": ru_snils, "uk_nhs": uk_nhs, "de_tax": de_tax, "ru_passport": ru_passport}


def numbers(dice: random.Random, count: int, plant):
    for kind, locale, make, templates in MADE:
        fake = faker.Faker(locale)
        fake.seed_instance(dice.getrandbits(32))
        for _ in range(count):
            value = OWN[kind](dice) if make is None else make(fake)
            yield plant("national", dice.choice(templates), value, f"id:{kind}")
