"""Writes the corpora as JSON lines, `{"corpus", "text", "spans": [[start, end, kind]]}`, from one seed."""

import argparse
import json
import random
import warnings
from pathlib import Path

import faker
import phonenumbers

import national
import negatives
import planted

warnings.filterwarnings("ignore")

LOCALES = [
    "en_US", "en_GB", "de_DE", "fr_FR", "ru_RU", "it_IT", "es_ES", "pl_PL", "uk_UA", "pt_BR", "nl_NL", "sv_SE", "tr_TR", "en_IN", "en_AU", "ja_JP",
    "de_AT", "de_CH", "fr_CH", "cs_CZ", "da_DK", "fi_FI", "no_NO", "ro_RO", "hu_HU", "el_GR", "pt_PT", "es_MX", "en_CA", "az_AZ", "hy_AM", "uz_UZ",
]

# Log lines, JSON, queries and prose around a value.
AROUND = [
    "{}", "user {} logged in", 'value="{}" status=ok', "failed for {}, retrying in 200ms", '{{"message":"got {}","n":1}}', "<b>{}</b>", "({})", "['{}']",
    "2026-11-21T09:26:11.123Z INFO worker-3 {} done in 12ms", "x: {}; y: 2", "line\n{}\nline", "{} was refused", "see {}.", "from {} to elsewhere",
    "ERROR [main] c.e.App - rejected {} (attempt 3 of 5)", "level=warn msg=\"bad input {}\" caller=main.go:42", "Is {} right? Yes", "|{}|", "{},{},ok",
    "Exception in thread: IllegalArgumentException: {} is invalid\n\tat com.example.App.main(App.java:12)", "id 42 {} 3ms", "GET /find?q={}&page=2 200",
]

PRESIDIO = {
    "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "EMAIL_ADDRESS": "email", "IBAN_CODE": "iban", "IBAN": "iban", "IP_ADDRESS": "ip", "US_SSN": "ssn",
}


def plant(corpus: str, template: str, value: str, kind: str) -> dict:
    """The template with the value at every `{}`; quotes inside JSON are escaped as a writer would."""
    text, spans = "", []
    for index, piece in enumerate(template.replace("{{", "\0").replace("}}", "\1").split("{}")):
        if index:
            spans.append([len(text), len(text) + len(value), kind])
            text += value
        text += piece.replace("\0", "{").replace("\1", "}")
    return {"corpus": corpus, "text": text, "spans": spans}


def sentences(seed: int, count: int):
    """Sentences of presidio-evaluator; kinds that no pattern can find keep their name."""
    from presidio_evaluator.data_generator import PresidioSentenceFaker

    random.seed(seed)
    maker = PresidioSentenceFaker("en_US", lower_case_ratio=0.05)
    maker.seed(seed)
    for sample in maker.generate_new_fake_sentences(num_samples=count):
        spans = [[s.start_position, s.end_position, PRESIDIO.get(s.entity_type, "other:" + s.entity_type)] for s in sample.spans]
        yield {"corpus": "presidio", "text": sample.full_text, "spans": spans}


def locales(dice: random.Random, count: int):
    """Values that faker makes for many locales. Numbers in one piece stand behind a word that announces them."""
    for name in LOCALES:
        fake = faker.Faker(name)
        fake.seed_instance(dice.getrandbits(32))
        for _ in range(count):
            yield plant("locales", dice.choice(AROUND), fake.ascii_safe_email() if dice.random() < 0.3 else fake.email(), "email")
            yield plant("locales", dice.choice(AROUND), fake.iban(), "iban")
            yield plant("locales", dice.choice(AROUND), fake.credit_card_number(), "card")
            yield plant("locales", dice.choice(AROUND), fake.ipv4() if dice.random() < 0.6 else fake.ipv6(), "ip")
            number = fake.phone_number()
            told = number.isdigit() or dice.random() < 0.5
            yield plant("locales", dice.choice(planted.ANNOUNCED if told else AROUND), number, "phone")


def regions(dice: random.Random, count: int):
    """Telephone numbers of every region in many spellings."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for _ in range(count):
            made = planted.phone(dice, region)
            if made is None:
                continue
            value, template = made
            yield plant("regions", dice.choice(AROUND) if template == "{}" else template, value, "phone")


def formats(dice: random.Random, count: int):
    """Cards of every network, accounts of every country, addresses, tokens and named keys."""
    makers = {"card": planted.card, "iban": planted.iban, "ip": planted.ip, "jwt": planted.jwt}
    makers |= {f"key:{name}": make for name, make in planted.KEYS.items()}
    for kind, make in makers.items():
        for _ in range(count * 4 if kind in ("card", "iban") else count):
            value = make(dice)
            template = dice.choice([t for t in AROUND if not (kind == "iban" and "to elsewhere" in t)])
            yield plant("formats", template, value, kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--size", type=int, default=40, help="values of each kind, locale and region")
    parser.add_argument("--megabytes", type=int, default=8, help="of text that holds nothing to redact")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(asked.seed)
    with open(asked.folder / "planted.jsonl", "w", encoding="utf-8") as out:
        for maker in (
            sentences(asked.seed, asked.size * 100), locales(dice, asked.size), regions(dice, asked.size),
            formats(dice, asked.size * 10), national.numbers(dice, asked.size * 2, plant),
        ):
            for record in maker:
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
    with open(asked.folder / "negatives.jsonl", "w", encoding="utf-8") as out:
        for text in negatives.lines(dice, asked.megabytes << 20):
            out.write(json.dumps({"corpus": "negatives", "text": text, "spans": []}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
