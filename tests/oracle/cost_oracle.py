"""Usages and what they cost, worked out by the genai-prices package: an oracle for the processor `cost`.

    python tests/oracle/cost_oracle.py --cases 8000 --seed 1 > cases.jsonl

The tests run it themselves (`processors/src/cost/oracle.rs`). First come all prices of all models, each at a time and with a
request for which it holds, then random cases. One case is one line: `provider` or `url` or neither, `model`, `time` in
microseconds, `context`, `usage`, and what must come out: `cost`, rounded once to 18 decimals, half to even, or `error`:
`lookup` or `usage`. `seller` and `entry` say which price the case was made for.
"""

import argparse
import itertools
import json
import random
import re
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from genai_prices import Usage, calc_price, types
from genai_prices.data import providers
from genai_prices.data_units import unit_data

# Patterns that cannot be turned into an address by dropping backslashes.
URLS = {
    'arcee': 'https://api.arcee.ai/v1',
    'aws': 'https://bedrock-runtime.us-east-1.amazonaws.com/model',
    'azure': 'https://acme.openai.azure.com/openai',
    'baseten': 'https://inference.baseten.co/v1',
    'cloudflare': 'https://api.cloudflare.com/client/v4/accounts/abc/ai/run/x',
    'cohere': 'https://api.cohere.com/v2/chat',
    'databricks': 'https://acme.cloud.databricks.com/serving-endpoints/x',
    'elevenlabs': 'https://api.eu.residency.elevenlabs.io/v1',
    'google': 'https://generativelanguage.googleapis.com/v1beta',
    'meta': 'https://api.meta.ai/v1',
    'minimax': 'https://api.minimaxi.com/v1',
    'modal': 'https://acme.modal.run/v1',
    'moonshotai': 'https://api.moonshot.ai/v1',
    'openrouter': 'https://openrouter.ai/api/v1',
}

# Other names of providers.
NAMED = {'aws': ['bedrock', 'amazon-x'], 'google': ['vertexai', 'gemini'], 'x-ai': ['xai'], 'openai': ['openai-responses']}

DAY_ONE, DAY_LAST = date(2023, 6, 1), date(2027, 3, 1)


def references(clause: object, rng: random.Random) -> list[str]:
    """Model names that a rule is likely to take."""
    tail = rng.choice(['', '-20250514', '-2025-05-14', '-latest', ':free', '-x'])
    match clause:
        case types.ClauseEquals():
            return [clause.equals, clause.equals + rng.choice(['', '', '-20251211'])]
        case types.ClauseStartsWith():
            return [clause.starts_with + tail]
        case types.ClauseEndsWith():
            return ['a' + clause.ends_with]
        case types.ClauseContains():
            return [f'us.{clause.contains}{tail}', clause.contains]
        case types.ClauseRegex():
            plain = re.sub(r'\\d\{(\d)\}', lambda m: '20250514'[: int(m[1])], clause.regex)
            return [re.sub(r'[\\^$]', '', plain)]
        case types.ClauseOr():
            return references(rng.choice(clause.or_), rng)
        case types.ClauseAnd():
            return references(clause.and_[0], rng)
    raise TypeError(type(clause).__name__)


def prices_of(info: types.ModelInfo) -> list[types.ModelPrice]:
    listed = info.prices if isinstance(info.prices, list) else [types.ConditionalPrice(prices=info.prices)]
    return [item.prices for item in listed] + [variant.prices for variant in info.price_variants or []]


def moment(info: types.ModelInfo, rng: random.Random) -> datetime:
    """A time near one at which a price changes, or any time."""
    listed = [*(info.prices if isinstance(info.prices, list) else []), *(info.price_variants or [])]
    constraints = [item.constraint for item in listed if item.constraint]
    any_day = DAY_ONE + timedelta(days=rng.randrange((DAY_LAST - DAY_ONE).days))
    step = timedelta(microseconds=rng.choice([-1, 0, 1, rng.randrange(86_400_000_000)]))
    if constraints and rng.random() < 0.7:
        constraint = rng.choice(constraints)
        if isinstance(constraint, types.StartDateConstraint):
            return datetime.combine(constraint.start_date, time(), UTC) + step
        edge = rng.choice([constraint.start_time, constraint.end_time]).replace(tzinfo=None)
        return datetime.combine(any_day, edge, UTC) + step
    return datetime.combine(any_day, time(), UTC) + timedelta(microseconds=rng.randrange(86_400_000_000))


def context_of(info: types.ModelInfo, rng: random.Random) -> dict[str, str]:
    if info.price_variants and rng.random() < 0.7:
        asked: dict[str, str] = {}
        for variant in rng.sample(info.price_variants, k=min(len(info.price_variants), rng.choice([1, 1, 2]))):
            asked.update(variant.when)
        return asked
    return rng.choice([{}, {}, {'service_tier': 'flex'}, {'processing': 'batch'}])


def tier_starts(info: types.ModelInfo) -> list[int]:
    values = [value for prices in prices_of(info) for value in prices.__dict__.values()]
    return [tier.start for value in values if isinstance(value, types.TieredPrices) for tier in value.tiers]


def amount(rng: random.Random, most: int) -> int:
    """A count up to `most`, small and large ones alike, often an extreme."""
    return rng.choice([0, most, rng.randint(0, most), min(most, int(10 ** rng.uniform(0, 7)))])


def tokens(info: types.ModelInfo, keys: set[str], rng: random.Random) -> dict[str, int]:
    starts = tier_starts(info)
    total = int(10 ** rng.uniform(0, 7))
    if starts and rng.random() < 0.6:
        total = rng.choice(starts) + rng.choice([-1, 0, 1, 2, 1000])
    usage = {'input_tokens': max(total, 0), 'output_tokens': int(10 ** rng.uniform(0, 6))}
    left = {'input': usage['input_tokens'], 'output': usage['output_tokens']}
    for key in sorted(keys, key=lambda key: (len(unit_data[key]['dimensions']), key)):
        dimensions = unit_data[key]['dimensions']
        if dimensions.get('family') != 'tokens' or key in usage or rng.random() < 0.3:
            continue
        parent = [name for name in usage if name in keys or name in ('input_tokens', 'output_tokens')]
        inside = [p for p in parent if unit_data[p]['dimensions'].items() < dimensions.items()]
        most = min(usage[p] for p in inside) if inside else 0
        # What is in no other part is in the whole beside the others.
        if not any(len(unit_data[p]['dimensions']) > 2 for p in inside):
            most = min(most, left[dimensions['direction']])
            usage[key] = amount(rng, most)
            left[dimensions['direction']] -= usage[key]
        else:
            usage[key] = amount(rng, most)
    return usage


def usage_of(info: types.ModelInfo, rng: random.Random, faults: bool = True) -> dict[str, str]:
    priced = {
        key for key, unit in unit_data.items() for p in prices_of(info) if getattr(p, unit['price_key']) is not None
    }
    usage: dict[str, object] = {}
    if {'input_tokens', 'output_tokens'} & priced or rng.random() < 0.2:
        extra = {'output_reasoning_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens'}
        usage.update(tokens(info, priced | (extra if rng.random() < 0.5 else set()), rng))
    for key in sorted(priced):
        family = unit_data[key]['dimensions']['family']
        if family in ('tokens', 'requests') or rng.random() < 0.2:
            continue
        if family == 'durations':
            seconds = Decimal(int(10 ** rng.uniform(3, 11))) / 10**6
            usage['audio_seconds'] = seconds
            if 'input_audio_seconds' in priced:
                usage['input_audio_seconds'] = seconds
        else:
            usage[key] = int(10 ** rng.uniform(0, 6))
    if 'input_annotated_document_pages' in usage and 'input_document_pages' in usage:
        usage['input_document_pages'] += usage['input_annotated_document_pages']
    if faults and rng.random() < 0.03:
        usage[rng.choice(['cache_read_tokens', 'output_reasoning_tokens', 'input_audio_tokens'])] = 10**8
    if faults and rng.random() < 0.03:
        usage.pop('input_tokens', None)
    return {key: str(value) for key, value in usage.items()}


def expected(case: dict) -> dict[str, str]:
    usage = {key: Decimal(value) if '.' in value else int(value) for key, value in case['usage'].items()}
    when = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=case['time'])
    # The package divides in the current context: with so many digits that nothing is rounded before the end.
    with localcontext() as digits:
        digits.prec = 120
        try:
            price = calc_price(
                Usage(**usage),
                case['model'],
                provider_id=case.get('provider'),
                provider_api_url=case.get('url'),
                genai_request_timestamp=when,
                price_context=case['context'] or None,
            )
        except LookupError:
            return {'error': 'lookup'}
        except ValueError:
            return {'error': 'usage'}
        return {'cost': format(price.total_price.quantize(Decimal(1).scaleb(-18), ROUND_HALF_EVEN), 'f')}


def case_of(provider: types.Provider, info: types.ModelInfo, rng: random.Random) -> dict:
    names = references(info.match, rng)
    model = rng.choice([*names, info.id, info.id.upper()])
    if rng.random() < 0.02:
        model = f'no-such-model-{rng.randrange(1000)}'
    case: dict = {
        'model': model,
        'time': micros(moment(info, rng)),
        'context': context_of(info, rng),
        'usage': usage_of(info, rng),
        'seller': provider.id,
    }
    url = URLS.get(provider.id, provider.api_pattern.replace('\\', ''))
    # Resellers of other providers' models are asked for them as well.
    if provider.fallback_model_providers and rng.random() < 0.3:
        reseller_of = rng.choice(provider.fallback_model_providers)
        other = next(p for p in providers if p.id == reseller_of)
        case['model'] = rng.choice(other.models).id
    match rng.choice(['id'] * 7 + ['url', 'model', 'litellm']):
        case 'url' if re.match(provider.api_pattern, url):
            case['url'] = url
        case 'model':
            pass
        case 'litellm':
            case['provider'], case['model'] = 'litellm', f'{provider.id}/{case["model"]}'
        case _:
            case['provider'] = rng.choice([provider.id, provider.id, provider.id.title(), *NAMED.get(provider.id, [])])
    return case


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def within(constraint: object, rng: random.Random) -> datetime:
    """A time at which a price holds."""
    match constraint:
        case types.StartDateConstraint():
            day = constraint.start_date + timedelta(days=rng.randrange(0, 40))
            return datetime.combine(day, time(), UTC) + timedelta(microseconds=rng.randrange(86_400_000_000))
        case types.TimeOfDateConstraint():
            start = constraint.start_time.replace(tzinfo=None)
            day = DAY_LAST - timedelta(days=rng.randrange(1, 60))
            return datetime.combine(day, start, UTC) + timedelta(minutes=rng.randrange(60))
    return datetime.combine(DAY_ONE, time(), UTC) + timedelta(days=rng.randrange((DAY_LAST - DAY_ONE).days))


def every_price(rng: random.Random) -> Iterator[dict]:
    """Each price of each model once, with all that it has a price for."""
    for provider in providers:
        for info in provider.models:
            listed = info.prices if isinstance(info.prices, list) else [types.ConditionalPrice(prices=info.prices)]
            entries = [(item.constraint, {}) for item in listed]
            entries += [(variant.constraint, variant.when) for variant in info.price_variants or []]
            for number, (constraint, when) in enumerate(entries):
                tries = (
                    {
                        'provider': provider.id,
                        'model': info.id if tried < 10 else rng.choice(references(info.match, rng)),
                        'time': micros(within(constraint, rng)),
                        'context': when,
                        'usage': usage_of(info, rng, faults=False),
                        'seller': provider.id,
                        'entry': f'{provider.id}/{info.id}/{number}',
                    }
                    for tried in range(30)
                )
                # A few models stand behind others whose patterns take their names.
                if case := next((case for case in tries if 'cost' in expected(case)), None):
                    yield case


def random_cases(rng: random.Random) -> Iterator[dict]:
    rich = [(p, m) for p in providers for m in p.models if len(prices_of(m)) > 1 or len(prices_of(m)[0].__dict__) > 2]
    for number in itertools.count():
        if number % 3 == 0:
            provider = providers[number // 3 % len(providers)]
            info = rng.choice(provider.models)
        else:
            provider, info = rng.choice(rich)
        yield case_of(provider, info, rng)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--cases', type=int, default=8_000)
    arguments.add_argument('--seed', type=int, default=1)
    options = arguments.parse_args()
    warnings.simplefilter('ignore')
    rng = random.Random(options.seed)
    cases = itertools.chain(every_price(rng), random_cases(rng))
    for case in itertools.islice(cases, options.cases):
        json.dump({**case, **expected(case)}, sys.stdout)
        sys.stdout.write('\n')


main()
