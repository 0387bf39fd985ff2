"""Compares what was stored with what was planted, prints a table, and fails when a mark is missed."""

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

# Kind of the planted value: least share found, and least share of its tokens that stand for one.
MARKS = {"email": (0.99, None), "card": (0.99, None), "iban": (0.99, None), "ip": (0.99, None), "jwt": (0.99, None), "phone": (0.95, 0.95)}
KEY_MARK = 0.99
FALSE_PER_MEGABYTE = 1.0
TOKEN = re.compile(r"\[(KEY|JWT|SECRET|CARD|IBAN|EMAIL|PHONE|IP|MAC|SSN|ID|NAME|ADDRESS|BIRTH|USER|SESSION|DEVICE|CONTENT|CRYPTO)\]")


def redacted(text: str, stored: str) -> list[tuple[int, int, str]]:
    """The places of a text that tokens took: what is between them stands in both."""
    if text == stored:
        return []
    pieces = TOKEN.split(stored)
    pattern = "".join(re.escape(piece) if i % 2 == 0 else "(.+?)" for i, piece in enumerate(pieces))
    match = re.fullmatch(pattern, text, re.DOTALL)
    if match is None:
        # Quoting has changed elsewhere: everything counts as touched.
        return [(0, len(text), kind) for kind in pieces[1::2]]
    return [(*match.span(i + 1), kind) for i, kind in enumerate(pieces[1::2])]


def is_gone(text: str, span: list, found: list[tuple[int, int, str]]) -> bool:
    """Whether no letter and no digit of a planted value is left."""
    start, end, _ = span
    return all(any(s <= at < e for s, e, _ in found) for at in range(start, end) if text[at].isalnum())


def main() -> None:
    folder = Path(sys.argv[1])
    verbose = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    planted, gone, missed = Counter(), Counter(), defaultdict(list)
    tokens, right, wrong = Counter(), Counter(), defaultdict(list)
    false, false_bytes = [], 0
    for name in ("planted", "negatives"):
        with open(folder / f"{name}.jsonl", encoding="utf-8") as asked, open(folder / f"{name}.stored.jsonl", encoding="utf-8") as answered:
            for line, answer in zip(asked, answered, strict=True):
                record, stored = json.loads(line), json.loads(answer)["stored"]
                text = record["text"]
                found = redacted(text, stored)
                if record["corpus"] == "negatives":
                    false_bytes += len(text.encode())
                    false += [(text, stored)] * len(found)
                    continue
                for span in record["spans"]:
                    kind = span[2]
                    if kind.startswith("other:"):
                        continue
                    key = (kind, record["corpus"])
                    planted[key] += 1
                    if is_gone(text, span, found):
                        gone[key] += 1
                    else:
                        missed[key].append((text[span[0] : span[1]], text, stored))
                for start, end, token in found:
                    kind = token.lower()
                    key = (kind, record["corpus"])
                    tokens[key] += 1
                    if any(s < end and start < e and k.split(":")[0] in (kind, "id") for s, e, k in record["spans"]):
                        right[key] += 1
                    else:
                        wrong[key].append((text[start:end], text, stored))
    report(planted, gone, missed, tokens, right, wrong, false, false_bytes, verbose)


def report(planted, gone, missed, tokens, right, wrong, false, false_bytes, verbose) -> None:
    failed = []
    print(f"{'kind':20} {'corpus':10} {'planted':>8} {'recall':>8} {'tokens':>8} {'precision':>9}")
    kinds = sorted({kind for kind, _ in planted})
    for kind in kinds:
        rows = sorted(corpus for k, corpus in planted if k == kind)
        for corpus in rows + (["all"] if len(rows) > 1 else []):
            of = lambda counter, k=kind: sum(n for (name, c), n in counter.items() if name == k and corpus in (c, "all"))
            recall = of(gone) / of(planted)
            precision = of(right) / of(tokens) if of(tokens) and ":" not in kind else None
            shown = f"{precision:9.4f}" if precision is not None else f"{'':9}"
            print(f"{kind:20} {corpus:10} {of(planted):8} {recall:8.4f} {of(tokens) if ':' not in kind else '':>8} {shown}")
            least, least_right = (KEY_MARK, None) if kind.startswith("key:") else MARKS.get(kind, (None, None))
            last = corpus == "all" or len(rows) == 1
            if least is not None and recall < least and last:
                failed.append(f"{kind}: recall {recall:.4f} is below {least}")
            if least_right is not None and last and (precision or 0) < least_right:
                failed.append(f"{kind}: precision {precision} is below {least_right}")
    rate = len(false) / (false_bytes / (1 << 20))
    print(f"negatives: {len(false)} redactions in {false_bytes / (1 << 20):.1f} MiB, {rate:.2f} a MiB")
    if rate >= FALSE_PER_MEGABYTE:
        failed.append(f"{rate:.2f} false redactions a MiB are not below {FALSE_PER_MEGABYTE}")
    for title, cases in (("missed", missed), ("wrong", wrong)):
        for key, all_cases in sorted(cases.items()):
            for value, text, stored in all_cases[:verbose]:
                print(f"  {title} {key}: {value!r} in {text[:160]!r} -> {stored[:160]!r}")
    for text, stored in false[: verbose * 4]:
        print(f"  false: {text!r} -> {stored!r}")
    for line in failed:
        print(f"FAILED {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
