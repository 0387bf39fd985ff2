# /// script
# requires-python = ">=3.11"
# dependencies = ["genai-prices", "pip"]
# ///
"""Writes prices.txt, the price list, from the packages genai-prices and LiteLLM.

    uv run processors/src/cost/generate_prices.py > processors/src/cost/prices.txt

LiteLLM's data is read from its wheel, which pip downloads without its dependencies; `--litellm FILE` takes a wheel or the
JSON file itself. One model is one line, so that a newer version of a package shows as a readable difference. Prices stay
decimal text: those of LiteLLM, which are binary numbers, become the shortest decimal that means the same number.
"""

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from genai_prices import types
from genai_prices.data import providers
from genai_prices.data_units import unit_data

LICENCES = {
    'genai-prices': 'MIT License, Copyright (c) Pydantic Services Inc. 2025 to present',
    'litellm': 'MIT License, Copyright (c) 2023 Berri AI',
}

# The package bills these in code; we state it as data.
MINIMUM_SECONDS = {('groq', 'whisper-large-v3'): 10, ('groq', 'whisper-large-v3-turbo'): 10}

# Short names of the units that most prices are for.
CODES = {
    'input_mtok': 'i',
    'output_mtok': 'o',
    'cache_read_mtok': 'r',
    'cache_write_mtok': 'w',
    'cache_write_1h_mtok': 'h',
    'web_searches_kcount': 's',
    'storage_searches_kcount': 'f',
}

CACHE_WRITE = {'family': 'tokens', 'direction': 'input', 'token_type': 'cache_write'}

# Measures that genai-prices does not have: count, price, how many the price is for, dimensions.
OWN_UNITS: list[tuple[str, str, int, dict[str, str]]] = [
    ('images', 'image', 1, {'family': 'images', 'direction': 'output'}),
    ('cache_write_12h_tokens', 'cache_write_12h_mtok', 1_000_000, {**CACHE_WRITE, 'cache_ttl': '12h'}),
    ('tool_calls', 'tool_calls_kcount', 1000, {'family': 'calls'}),
]

Prices = dict[str, str]


def number(value: Decimal) -> str:
    text = format(value, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text


def literal(text: str) -> str:
    if re.search(r'[*\s&!^]', text):
        sys.exit(f'a name that cannot be written as a pattern: {text!r}')
    return text.lower()


def line(name: str, rules: str, entries: list[str]) -> str:
    if re.search(r'\s', name):
        sys.exit(f'a model name with a space: {name!r}')
    return '\t'.join([name, '' if rules == name.lower() else rules, *entries])


def entry(conditions: list[str], prices: Prices) -> str:
    return ' '.join([*conditions, *(f'{CODES.get(key, key)}={value}' for key, value in prices.items())]) or '-'


# === genai-prices ===


# `^(?!inner)rest`; inner may hold groups, but none in a group.
LOOKAHEAD = re.compile(r'\^\(\?!((?:[^()]|\([^()]*\))*)\)(.*)')


def regex(pattern: str) -> str:
    # Our regular expressions have no look-around.
    if split := LOOKAHEAD.fullmatch(pattern):
        inner, rest = split.groups()
        refused = '!' + regex(f'^(?:{inner})')
        return f'{refused}&{regex("^" + rest)}' if rest else refused
    if re.search(r'\(\?[=!<]|\\[1-9]|[\s&]', pattern) or not pattern.startswith('^'):
        sys.exit(f'a regular expression that cannot be translated: {pattern!r}')
    return pattern


def rule(clause: object) -> str:
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
            return ' '.join(dict.fromkeys(rule(inner) for inner in clause.or_))
        case types.ClauseAnd() if not any(isinstance(inner, types.ClauseOr) for inner in clause.and_):
            return '&'.join(rule(inner) for inner in clause.and_)
    sys.exit(f'a rule that cannot be written: {clause!r}')


def price(value: Decimal | types.TieredPrices) -> str:
    if isinstance(value, Decimal):
        return number(value)
    return number(value.base) + ''.join(f'>{tier.start}:{number(tier.price)}' for tier in value.tiers)


def listed(info: types.ModelInfo) -> list[types.ConditionalPrice]:
    return info.prices if isinstance(info.prices, list) else [types.ConditionalPrice(prices=info.prices)]


def listed_prices(model_price: types.ModelPrice) -> Prices:
    return {key: price(value) for key, value in model_price.__dict__.items() if value is not None}


def prices_or_free(info: types.ModelInfo, model_price: types.ModelPrice) -> Prices:
    """The package has no prices also where it knows none; only a name that says so makes a model free."""
    found = listed_prices(model_price)
    return {'input_mtok': '0', 'output_mtok': '0'} if not found and info.id.endswith(':free') else found


def clock(value: datetime.time) -> str:
    if value.tzinfo not in (None, datetime.timezone.utc):
        sys.exit(f'a daily window that is not in UTC: {value}')
    return value.replace(tzinfo=None).isoformat('minutes')


def constraint(value: object) -> list[str]:
    match value:
        case None:
            return []
        case types.StartDateConstraint():
            return [f'@{value.start_date.isoformat()}']
        case types.TimeOfDateConstraint():
            return [f'{clock(value.start_time)}-{clock(value.end_time)}']
    sys.exit(f'unknown kind of constraint: {type(value).__name__}')


def asks(when: dict[str, str]) -> list[str]:
    return [f'?{key}={value}' for key, value in when.items()]


def genai_model(provider_id: str, info: types.ModelInfo, other: dict[str, object]) -> str:
    minimum = MINIMUM_SECONDS.get((provider_id, info.id))
    entries = []
    for item in listed(info):
        conditions = constraint(item.constraint)
        if isinstance(item.constraint, types.TimeOfDateConstraint) and only_on_workdays(item, other):
            conditions.append('mon-fri')
        entries.append(entry([*conditions, *([f'min={minimum}'] if minimum else [])], prices_or_free(info, item.prices)))
    for variant in info.price_variants or []:
        entries.append(entry([*asks(variant.when), *constraint(variant.constraint)], listed_prices(variant.prices)))
    if factor := regional(provider_id, other):
        entries.append(f'?region=us x{factor}')
    return line(info.id, rule(info.match), entries)


def only_on_workdays(item: types.ConditionalPrice, other: dict[str, object]) -> bool:
    """Whether LiteLLM, which knows weekdays, has the same peak price and says that there is no peak at weekends."""
    off_peak = other.get('off_peak_pricing')
    peak = other.get('input_cost_per_token')
    if not isinstance(off_peak, dict) or item.prices.input_mtok != per(peak, 1_000_000):
        return False
    all_day = ('00:00-00:00', ['00:00-00:00'])
    return any(w.get('weekdays') == [6, 7] and w.get('hours_utc') in all_day for w in off_peak.get('windows', []))


def regional(provider_id: str, other: dict[str, object]) -> str | None:
    """What a request that must stay in the US costs more, which LiteLLM knows for Anthropic's own API."""
    factors = other.get('provider_specific_entry')
    if provider_id != 'anthropic' or not isinstance(factors, dict) or 'us' not in factors:
        return None
    return number(Decimal(repr(factors['us'])))


def provider_head(provider: types.Provider) -> str:
    head = [f'provider {provider.id}', f'url={provider.api_pattern}']
    if provider.provider_match:
        head.append(f'named={rule(provider.provider_match)}')
    if provider.model_match:
        head.append(f'serves={rule(provider.model_match)}')
    if provider.fallback_model_providers:
        head.append(f'fallback={" ".join(provider.fallback_model_providers)}')
    return '\t'.join(head)


# === LiteLLM ===

# Its providers that genai-prices knows by another name. One that ends in an asterisk is a beginning.
SAME_PROVIDERS = {
    'text-completion-openai': 'openai',
    'azure*': 'azure',
    'bedrock*': 'aws',
    'vertex_ai*': 'google',
    'gemini': 'google',
    'xai': 'x-ai',
    'moonshot': 'moonshotai',
    'together_ai': 'together',
    'fireworks_ai*': 'fireworks',
    'cohere*': 'cohere',
    'codestral': 'mistral',
    'text-completion-codestral': 'mistral',
    'voyage': 'voyageai',
    'github_copilot': 'github-copilot',
}

# Hosts of those that only LiteLLM knows, so that a call that names nobody finds its provider.
HOSTS = {
    'ai21': r'https://api\.ai21\.com',
    'assemblyai': r'https://api(\.eu)?\.assemblyai\.com',
    'black_forest_labs': r'https://api(\.[a-z0-9-]+)?\.bfl\.(ai|ml)',
    'dashscope': r'https://dashscope(-intl|-us)?\.aliyuncs\.com',
    'deepgram': r'https://api(\.eu)?\.deepgram\.com',
    'fal_ai': r'https://(queue\.)?fal\.run',
    'firecrawl': r'https://api\.firecrawl\.dev',
    'jina_ai': r'https://api\.jina\.ai',
    'recraft': r'https://external\.api\.recraft\.ai',
    'replicate': r'https://api\.replicate\.com',
    'runwayml': r'https://api(\.dev)?\.runwayml\.com',
    'sambanova': r'https://api\.sambanova\.ai',
    'serper': r'https://google\.serper\.dev',
    'soniox': r'https://api\.soniox\.com',
    'stability': r'https://api\.stability\.ai',
    'tavily': r'https://api\.tavily\.com',
    'vercel_ai_gateway': r'https://ai-gateway\.vercel\.sh',
    'watsonx': r'https://[a-z0-9-]+\.ml\.cloud\.ibm\.com',
}

# Other names of those.
NAMES = {'watsonx': 'ibm.watsonx.ai', 'dashscope': 'alibaba', 'stability': 'stability_ai', 'replicate': 'replicate.com'}

# Keys of a price per token, and ours.
TOKENS = {
    'input_cost_per_token': 'input_mtok',
    'output_cost_per_token': 'output_mtok',
    'cache_read_input_token_cost': 'cache_read_mtok',
    'cache_creation_input_token_cost': 'cache_write_mtok',
    'cache_creation_input_token_cost_above_1hr': 'cache_write_1h_mtok',
    'cache_creation_input_token_cost_above_12hr': 'cache_write_12h_mtok',
    'input_cost_per_audio_token': 'input_audio_mtok',
    'output_cost_per_audio_token': 'output_audio_mtok',
    'cache_read_input_audio_token_cost': 'cache_audio_read_mtok',
    'input_cost_per_image_token': 'input_image_mtok',
    'output_cost_per_image_token': 'output_image_mtok',
    'cache_read_input_image_token_cost': 'cache_image_read_mtok',
    'input_cost_per_video_token': 'input_video_mtok',
    'output_cost_per_video_token': 'output_video_mtok',
    'output_cost_per_reasoning_token': 'output_reasoning_mtok',
}

# What else is priced by the count: ours, and how many of them our price is for.
COUNTED = {
    'input_cost_per_character': ('input_mchars', 1_000_000),
    'output_cost_per_image': ('image', 1),
    'ocr_cost_per_page': ('input_document_kpages', 1000),
    'annotation_cost_per_page': ('input_annotated_document_kpages', 1000),
}

VARIANTS = {'_batches': '?processing=batch', '_flex': '?service_tier=flex', '_priority': '?service_tier=priority'}

SIZE = re.compile(r'\d+-x-\d+')
QUALITIES = {'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'}


def per(value: object, count: int) -> Decimal | None:
    """A price for one as a price for `count`."""
    return None if value is None else Decimal(repr(value)) * count


def known_provider(name: str) -> str:
    ids = {provider.id for provider in providers}
    for theirs, ours in SAME_PROVIDERS.items():
        if theirs == name or (theirs.endswith('*') and name.startswith(theirs[:-1])):
            return ours
    return name if name in ids else next((i for i in ids if i == name.replace('_', '-')), name)


def bare(key: str, provider: str) -> tuple[str, dict[str, str]] | None:
    """A key as the model's name and what the call must ask for; None for a kind of contract that no call tells of."""
    parts = key.split('/')
    asked = {}
    if parts[0] == provider or known_provider(parts[0]) == known_provider(provider):
        parts = parts[1:]
    while len(parts) > 1 and (parts[0] in QUALITIES or SIZE.fullmatch(parts[0])):
        name, value = ('quality', parts[0]) if parts[0] in QUALITIES else ('size', parts[0].replace('-x-', 'x'))
        asked[name] = value
        parts = parts[1:]
    if any(re.search(r'-steps$|-commitment$', part) or part in ('*', 'max-x-max') for part in parts):
        return None
    # A region or kind of deployment in front of the name: genai-prices has the plain names.
    if known_provider(provider) in ('aws', 'azure') and len(parts) > 1:
        return None
    return '/'.join(parts), asked


def tiers(info: dict[str, object], key: str) -> str | None:
    """A price per token with its tiers by input tokens."""
    if (base := per(info.get(key), 1_000_000)) is None:
        return None
    stem, variant = next(((key[: -len(v)], v) for v in VARIANTS if key.endswith(v)), (key, ''))
    above = []
    for other, value in info.items():
        if (m := re.fullmatch(rf'{re.escape(stem)}_above_(\d+)k_tokens{variant}', other)) and value is not None:
            above.append((int(m[1]) * 1000, per(value, 1_000_000)))
    return number(base) + ''.join(f'>{start}:{number(price)}' for start, price in sorted(above) if price is not None)


def ranged(info: dict[str, object]) -> Prices:
    """Prices that are given for ranges of input tokens."""
    steps = info.get('tiered_pricing')
    if not isinstance(steps, list) or not all('range' in step for step in steps):
        return {}
    out = {}
    for key, ours in TOKENS.items():
        values = [(int(step['range'][0]), per(step.get(key), 1_000_000)) for step in steps]
        if all(value is not None for _, value in values) and values[0][0] == 0:
            out[ours] = number(values[0][1]) + ''.join(f'>{start}:{number(value)}' for start, value in values[1:])
    return out


def hourly(info: dict[str, object]) -> Decimal | None:
    """What an hour of audio costs; where the provider prices minutes or hours, its own number and not a rounded second."""
    note = info.get('metadata') if isinstance(info.get('metadata'), dict) else {}
    if 'original_pricing_per_hour' in note:
        return Decimal(repr(note['original_pricing_per_hour']))
    if 'original_pricing_per_minute' in note:
        return Decimal(repr(note['original_pricing_per_minute'])) * 60
    second = info.get('input_cost_per_second') or info.get('output_cost_per_second')
    if not second:
        return None
    exact = Decimal(repr(second))
    hour = exact * 3600
    # 0.00028333 a second is 1.02 an hour: a division that does not end, cut off.
    short = Decimal(f'{hour:.2e}')
    cut_off = len(exact.as_tuple().digits) >= 5 and abs(hour - short) <= Decimal(3600).scaleb(exact.as_tuple().exponent)
    return short if cut_off else hour


def pixels(info: dict[str, object], size: str | None) -> Decimal | None:
    """A price per pixel was made from one per picture, which has four decimals at most."""
    given = info.get('input_cost_per_pixel')
    if not given or size is None:
        return None
    width, height = size.split('x')
    exact = Decimal(repr(given)) * int(width) * int(height)
    rounded = exact.quantize(Decimal('0.0001'))
    return rounded if rounded and abs(exact - rounded) < rounded * Decimal('0.0001') else None


def litellm_prices(info: dict[str, object], asked: dict[str, str], counted_only: bool) -> Prices:
    mode = info.get('mode')
    out = {} if counted_only else ranged(info)
    for key, ours in TOKENS.items():
        if not counted_only and ours not in out and (text := tiers(info, key)) is not None:
            out[ours] = text
    for key, (ours, count) in COUNTED.items():
        if info.get(key):
            out[ours] = number(per(info[key], count))
    if mode in ('audio_transcription', 'audio_speech') and not ({'input_mtok', 'input_mchars'} & set(out)):
        if (hour := hourly(info)) is not None:
            out['audio_hours'] = number(hour)
    if mode == 'image_generation' and 'image' not in out:
        if info.get('input_cost_per_image'):
            out['image'] = number(per(info['input_cost_per_image'], 1))
        elif (picture := pixels(info, asked.get('size'))) is not None:
            out['image'] = number(picture)
    if mode in ('rerank', 'search') and info.get('input_cost_per_query'):
        out['requests_kcount'] = number(per(info['input_cost_per_query'], 1000))
    # What costs the same as its whole needs no price of its own.
    for part, whole in [('output_reasoning_mtok', 'output_mtok'), ('input_video_mtok', 'input_mtok')]:
        if part in out and out[part] == out.get(whole):
            del out[part]
    if 'image' in out:
        return {key: value for key, value in out.items() if value != '0'}
    # All zero is what LiteLLM also writes for what it does not know.
    return out if any(value != '0' for value in out.values()) else {}


def litellm_entries(infos: list[tuple[dict[str, str], dict[str, object]]], counted_only: bool) -> list[str]:
    """The entries of one model: the plain prices, those of a picture's size and quality, of batch and of tiers."""
    entries = []
    for asked, info in sorted(infos, key=lambda pair: len(pair[0])):
        prices = litellm_prices(info, asked, counted_only)
        if not prices:
            continue
        if asked and not entries:
            entries.append('-')
        entries.append(entry(asks(asked), prices))
        for suffix, condition in VARIANTS.items():
            other = {ours: text for key, ours in TOKENS.items() if (text := tiers(info, key + suffix)) is not None}
            if other and not asked and not counted_only:
                entries.append(entry([condition], other))
    return entries


def genai_units(provider_id: str, model: str) -> set[str] | None:
    """What genai-prices has a price for; None where it does not know the model."""
    provider = next((p for p in providers if p.id == provider_id), None)
    info = provider.find_model(model, all_providers=providers) if provider else None
    return None if info is None else {key for item in listed(info) for key, value in item.prices.__dict__.items() if value is not None}


def litellm_models(data: dict[str, dict[str, object]]) -> dict[str, dict[str, list[str]]]:
    """What genai-prices lacks: entries by provider and model."""
    found: dict[str, dict[str, list]] = {}
    known: dict[tuple[str, str], set[str] | None] = {}
    for key, info in data.items():
        provider = info.get('litellm_provider')
        if not isinstance(provider, str) or (named := bare(key, provider)) is None:
            continue
        model, asked = named
        name = known_provider(provider)
        # Pictures and minutes are priced here also where genai-prices has the model's tokens.
        units = known[name, model.lower()] = genai_units(name, model)
        minutes = info.get('mode') == 'audio_transcription' and info.get('input_cost_per_second')
        if units is not None and not asked and not (minutes and 'audio_hours' not in units):
            continue
        found.setdefault(name, {}).setdefault(model.lower(), []).append((asked, info))
    out: dict[str, dict[str, list[str]]] = {}
    for name, models in sorted(found.items()):
        for model, infos in models.items():
            firsts = {tuple(sorted(asked.items())): (asked, info) for asked, info in reversed(infos)}
            counted_only = known[name, model] is not None
            if (entries := litellm_entries(list(firsts.values()), counted_only)) and not re.search(r'[\s*&!^]', model):
                out.setdefault(name, {})[model] = entries
    return out


def litellm_head(name: str) -> str:
    head = [f'provider {name}']
    if name in HOSTS:
        head.append(f'url={HOSTS[name]}')
    if name in NAMES:
        head.append(f'named={NAMES[name]}')
    return '\t'.join(head)


def litellm_data(path: Path | None) -> tuple[str, dict[str, dict[str, object]]]:
    """Version and data of LiteLLM, from a file or from the package index."""
    if path is None:
        folder = tempfile.mkdtemp()
        command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', '-d', folder, 'litellm']
        subprocess.run(command, check=True, stdout=sys.stderr)
        path = next(Path(folder).glob('litellm-*.whl'))
    if path.suffix != '.whl':
        return 'of ' + path.name, json.loads(path.read_text())
    with zipfile.ZipFile(path) as wheel:
        text = wheel.read('litellm/model_prices_and_context_window_backup.json')
    return path.name.split('-')[1], json.loads(text)


def units() -> Iterator[str]:
    taken = [(key, unit['price_key'], unit['per'], unit['dimensions']) for key, unit in unit_data.items()]
    for key, price_key, count, dimensions in [*taken, *OWN_UNITS]:
        spelt = ' '.join(f'{name}={value}' for name, value in dimensions.items())
        yield f'unit {CODES.get(price_key, "-")} {price_key} {key} {count} {spelt}'


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--litellm', type=Path, help='the wheel, or model_prices_and_context_window_backup.json')
    options = arguments.parse_args()
    litellm, data = litellm_data(options.litellm)
    print('marquetry prices 1')
    print(f'date {datetime.date.today().isoformat()}')
    print(f'source genai-prices {version("genai-prices")}; {LICENCES["genai-prices"]}')
    print(f'source litellm {litellm}; {LICENCES["litellm"]}')
    print('\n'.join(units()))
    print('from genai-prices')
    for provider in providers:
        print(provider_head(provider))
        for info in provider.models:
            other = data.get(info.id) or data.get(f'{provider.id}/{info.id}') or {}
            print(genai_model(provider.id, info, other))
    print('from litellm')
    for name, models in litellm_models(data).items():
        print(litellm_head(name))
        for model, entries in models.items():
            print(line(model, model, entries))


main()
