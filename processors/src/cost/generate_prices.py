"""Writes prices.json from the genai-prices package.

    pip install genai-prices==0.2.3
    python processors/src/cost/generate_prices.py > processors/src/cost/prices.json

One model is one line, so that a new version of the package shows as a readable difference. Prices stay decimal text.
"""

import datetime
import json
import re
import sys
from decimal import Decimal
from importlib.metadata import version

from genai_prices import types
from genai_prices.data import providers
from genai_prices.data_units import unit_data

PACKAGE = 'genai-prices'
COPYRIGHT = 'MIT License, Copyright (c) Pydantic Services Inc. 2025 to present'

# The package bills these in code; we state it as data.
MINIMUM_SECONDS = {('groq', 'whisper-large-v3'): 10, ('groq', 'whisper-large-v3-turbo'): 10}

# Measures that the package does not have and our own prices need.
OWN_UNITS = [('images', 'image', 1, {'family': 'images', 'direction': 'output'})]


def literal(text: str) -> str:
    if '*' in text:
        sys.exit(f'a literal with an asterisk cannot be written as a pattern: {text!r}')
    return text.lower()


def split_lookahead(pattern: str) -> tuple[str, str] | None:
    """`^(?!inner)rest` as (inner, rest): our regular expressions have no look-around."""
    if not pattern.startswith('^(?!'):
        return None
    depth, in_class, index = 1, False, 4
    while depth:
        char = pattern[index]
        if char == '\\':
            index += 1
        elif char == '[':
            in_class = True
        elif char == ']':
            in_class = False
        elif not in_class:
            depth += (char == '(') - (char == ')')
        index += 1
    return pattern[4 : index - 1], pattern[index:]


def regex(pattern: str) -> object:
    split = split_lookahead(pattern)
    if split:
        inner, rest = split
        refused: dict[str, object] = {'not': regex(f'^(?:{inner})')}
        return {'all': [refused, regex(f'^{rest}')]} if rest else refused
    if re.search(r'\(\?[=!<]|\\[1-9]', pattern):
        sys.exit(f'a regular expression that cannot be translated: {pattern!r}')
    return {'regex': pattern}


def rule(clause: object) -> object:
    match clause:
        case types.ClauseEquals():
            return literal(clause.equals)
        case types.ClauseStartsWith():
            return literal(clause.starts_with) + '*'
        case types.ClauseEndsWith():
            return '*' + literal(clause.ends_with)
        case types.ClauseContains():
            return '*' + literal(clause.contains) + '*'
        case types.ClauseRegex():
            return regex(clause.regex)
        case types.ClauseOr():
            return [rule(inner) for inner in clause.or_]
        case types.ClauseAnd():
            return {'all': [rule(inner) for inner in clause.and_]}
    sys.exit(f'unknown kind of clause: {type(clause).__name__}')


def number(value: Decimal) -> str:
    text = format(value, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text


def price(value: Decimal | types.TieredPrices) -> object:
    if isinstance(value, Decimal):
        return number(value)
    return {'base': number(value.base), 'above': [[tier.start, number(tier.price)] for tier in value.tiers]}


def prices(model_price: types.ModelPrice) -> dict[str, object]:
    return {key: price(value) for key, value in model_price.__dict__.items() if value is not None}


def constraint(value: object) -> dict[str, object]:
    match value:
        case None:
            return {}
        case types.StartDateConstraint():
            return {'from': value.start_date.isoformat()}
        case types.TimeOfDateConstraint():
            return {'daily': [clock(value.start_time), clock(value.end_time)]}
    sys.exit(f'unknown kind of constraint: {type(value).__name__}')


def clock(value: datetime.time) -> str:
    if value.tzinfo not in (None, datetime.timezone.utc):
        sys.exit(f'a daily window that is not in UTC: {value}')
    return value.replace(tzinfo=None).isoformat('minutes')


def model(provider_id: str, info: types.ModelInfo) -> dict[str, object]:
    listed = info.prices if isinstance(info.prices, list) else [types.ConditionalPrice(prices=info.prices)]
    out: dict[str, object] = {
        'id': info.id,
        'match': rule(info.match),
        'prices': [{**constraint(item.constraint), 'price': prices(item.prices)} for item in listed],
    }
    if info.price_variants:
        out['variants'] = [
            {'when': item.when, **constraint(item.constraint), 'price': prices(item.prices)}
            for item in info.price_variants
        ]
    if seconds := MINIMUM_SECONDS.get((provider_id, info.id)):
        out['minimum_seconds'] = seconds
    return out


def provider_head(provider: types.Provider) -> dict[str, object]:
    out: dict[str, object] = {'id': provider.id, 'url': provider.api_pattern}
    if provider.provider_match:
        out['named'] = rule(provider.provider_match)
    if provider.model_match:
        out['serves'] = rule(provider.model_match)
    if provider.fallback_model_providers:
        out['fallback'] = provider.fallback_model_providers
    return out


def compact(value: object) -> str:
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def main() -> None:
    latest = max(
        item.constraint.start_date.isoformat()
        for provider in providers
        for info in provider.models
        for item in [*(info.prices if isinstance(info.prices, list) else []), *(info.price_variants or [])]
        if isinstance(item.constraint, types.StartDateConstraint)
    )
    units = [(key, unit['price_key'], unit['per'], unit['dimensions']) for key, unit in unit_data.items()]
    print('{')
    print(f'"source":{compact(f"{PACKAGE} {version(PACKAGE)}")},')
    print(f'"taken":{compact(datetime.date.today().isoformat())},')
    print(f'"licence":{compact(COPYRIGHT)},')
    print(f'"latest_change":{compact(latest)},')
    print('"units":[')
    print(',\n'.join(compact(unit) for unit in [*units, *OWN_UNITS]))
    print('],\n"providers":[')
    blocks = []
    for provider in providers:
        models = ',\n'.join(compact(model(provider.id, info)) for info in provider.models)
        blocks.append(f'{compact(provider_head(provider))[:-1]},"models":[\n{models}]}}')
    print(',\n'.join(blocks))
    print(']}')


main()
