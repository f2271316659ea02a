#!/usr/bin/env python3
"""Random tokenizer.json files of every component on hostile texts: scbench against the tokenizers library.

  tokenizers_random.py --scbench build/scbench --work DIR [--n 200] [--seed 1] [--first 0]

Each tokenizer is a model trained on a few hundred words, with normalizer, pre-tokenizer, post-processor,
decoder and added tokens drawn by chance. Compared: ids with and without the post-processor, ids with special
tokens read as plain text, and decoding of random ids with and without special tokens.
Needs the package tokenizers. What differs stays in DIR.
"""
import argparse, copy, json, os, random, shutil, subprocess, sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
from tokenizers import Tokenizer, models, trainers

R = random.Random()
pick = lambda *a: R.choice(a)
maybe = lambda p=0.5: R.random() < p

WORDS = """def return self.x = 0; for i in range(10): print("a b") import os\n    if x_y == None:\n\t\tpass é É ﬁ Å A\u030a ñ
don't I'LL we've 12345 3.14 ١٢٣ १२३ ½ ² Ⅷ 日本語 テスト 한국어 각 ไทย العربية עברית Привет ΑΣ ß ẞ İ ı ǆ 𝔘𝔫𝔦 😀 👩‍👩‍👧‍👦 🇩🇪 ❤️ 👍🏽 e\u0301\u0327
a\u200db \u200b \ufeff \u00a0 \u3000 \u2028 \u0085 \x00 \x01 \x7f \r\n \n\n\n \t  ... !!! ?! -- __ -> => <s> </s> [CLS] <mask> <0x41> ▁ ▁▁ Ġ Ċ ## ##ing ing</w> \ufffd \ue000 \U0010ffff \U00020000 \U0001d7d8""".split(" ")


def char():
    k = R.random()
    if k < 0.5: return chr(R.randrange(32, 127))
    if k < 0.6: return pick(" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\x00", "\x0b", "\x1f", "\u2003", "\u180e", "\u200b")
    if k < 0.7: return chr(R.randrange(0x80, 0x800))
    if k < 0.8: return chr(R.randrange(0x300, 0x370))
    if k < 0.9: return chr(pick(R.randrange(0x800, 0xd800), R.randrange(0xe000, 0x10000)))
    return chr(R.randrange(0x10000, 0x110000))


def text(extra):
    k = R.random()
    if k < 0.03: return ""
    if k < 0.08: return pick("a", " ", "ab", "é", "0", "\n", "▁", "😀", ".") * pick(1, 2, 50, 700)
    if k < 0.35: return "".join(char() for _ in range(R.randrange(1, 40)))
    parts = []
    for _ in range(R.randrange(1, 14)):
        parts.append(pick(*extra) if extra and maybe(0.2) else pick(*WORDS) if maybe(0.8) else char() * pick(1, 2, 3))
        parts.append(pick("", " ", " ", " ", "  ", "\n", "   "))
    return "".join(parts)


def replace():
    p, c = pick((" ", "▁"), ("a", "bb"), ("  ", " "), ("\n", ""), ("e", "é"), ("▁", " "), ("aa", "a"), ("", "x"))
    if maybe(0.6): return {"type": "Replace", "pattern": {"String": p}, "content": c}
    return {"type": "Replace", "pattern": {"Regex": pick(r"\s+", r"[0-9]", r"(?i)A", r" {2,}", r"\p{M}", r"^\s", r"\s$", r"b?", r"\r\n?", r"[^\S\n]", r"(a)\1", r"\bx")}, "content": c}


def normalizer(depth=0):
    k = pick("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "Prepend", "Replace", "BertNormalizer", "ByteLevel", "Nmt", "Sequence")
    if k == "Strip": return {"type": k, "strip_left": maybe(), "strip_right": maybe()}
    if k == "Prepend": return {"type": k, "prepend": pick("▁", "x", " ", "ab")}
    if k == "Replace": return replace()
    if k == "BertNormalizer":
        return {"type": k, "clean_text": maybe(), "handle_chinese_chars": maybe(), "strip_accents": pick(None, True, False), "lowercase": maybe()}
    if k == "ByteLevel" and depth: k = "NFC"
    if k == "Sequence":
        if depth > 1: return {"type": "NFC"}
        return {"type": k, "normalizers": [normalizer(depth + 1) for _ in range(R.randrange(0, 4))]}
    return {"type": k}


BEHAVIOUR = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
PATTERNS = (r"\s+", r"\d{1,3}", r"\p{L}+", r"[^\s\p{L}\p{N}]+", r"\s+(?!\S)|\s+", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+", r"[ ]", r"\b", r"a|b|", r"(?<=\s)\S", r"\w+|[^\w\s]+", r".", r"(?s).", r"[[:alpha:]]+", r"\p{Han}+|\p{Hiragana}+", r"[^\p{M}]\p{M}*", r"\X", r"(?:\r\n|\n)+", r"\P{L}", r"[\p{L}&&[^a-z]]+", r"\h+", r"^.", r".$", r"\A\s", r"(a+)b?", r"x*?y", r"\R")


def split():
    p = {"Regex": pick(*PATTERNS)} if maybe(0.8) else {"String": pick(" ", "a", "  ", ".", "\n", "▁", "")}
    return {"type": "Split", "pattern": p, "behavior": pick(*BEHAVIOUR), "invert": maybe(0.3)}


def pretok(depth=0):
    k = pick("ByteLevel", "Split", "Split", "Split", "Metaspace", "Metaspace", "Digits", "Punctuation", "Whitespace", "WhitespaceSplit", "CharDelimiterSplit", "BertPreTokenizer", "UnicodeScripts", "FixedLength", "Sequence", "Sequence")
    if k == "ByteLevel":
        return {"type": k, "add_prefix_space": maybe(), "trim_offsets": maybe(), "use_regex": maybe()}
    if k == "Split": return split()
    if k == "Metaspace":
        return {"type": k, "replacement": pick("▁", "▁", "_", "é"), "prepend_scheme": pick("always", "first", "never"), "split": maybe()}
    if k == "Digits": return {"type": k, "individual_digits": maybe()}
    if k == "Punctuation": return {"type": k, "behavior": pick(*BEHAVIOUR)}
    if k == "CharDelimiterSplit": return {"type": k, "delimiter": pick(" ", "a", ".", "▁", "é")}
    if k == "FixedLength": return {"type": k, "length": pick(1, 2, 5)}
    if k == "Sequence":
        if depth: return {"type": "Whitespace"}
        return {"type": k, "pretokenizers": [pretok(1) for _ in range(R.randrange(0, 4))]}
    return {"type": k}


def dec(depth=0):
    k = pick("ByteLevel", "ByteFallback", "Fuse", "Strip", "Replace", "Metaspace", "WordPiece", "BPEDecoder", "CTC", "Sequence", "Sequence")
    if k == "ByteLevel": return {"type": k, "add_prefix_space": maybe(), "trim_offsets": maybe(), "use_regex": maybe()}
    if k == "Strip": return {"type": k, "content": pick(" ", "▁", "a"), "start": pick(0, 1, 2), "stop": 0 if maybe(0.8) else 1}
    if k == "Replace": return replace()
    if k == "Metaspace": return {"type": k, "replacement": pick("▁", "_"), "prepend_scheme": pick("always", "first", "never"), "split": maybe()}
    if k == "WordPiece": return {"type": k, "prefix": pick("##", "", "@@"), "cleanup": maybe()}
    if k == "BPEDecoder": return {"type": k, "suffix": pick("</w>", "", "e")}
    if k == "CTC": return {"type": k, "pad_token": pick("<pad>", "<s>", "a"), "word_delimiter_token": pick("|", " ", "▁"), "cleanup": maybe()}
    if k == "Sequence":
        if depth: return {"type": "Fuse"}
        return {"type": k, "decoders": [dec(1) for _ in range(R.randrange(0, 4))]}
    return {"type": k}


def post(tok):
    ids = {t: tok[t] for t in tok}
    names = list(ids) or None
    k = pick("TemplateProcessing", "TemplateProcessing", "ByteLevel", "RobertaProcessing", "BertProcessing", "Sequence")
    one = lambda n: {"SpecialToken": {"id": n, "type_id": pick(0, 1)}}
    def single(k):
        if k == "ByteLevel" or not names: return {"type": "ByteLevel", "add_prefix_space": maybe(), "trim_offsets": maybe(), "use_regex": True}
        a, b = pick(*names), pick(*names)
        if k == "BertProcessing": return {"type": k, "sep": [a, ids[a]], "cls": [b, ids[b]]}
        if k == "RobertaProcessing": return {"type": k, "sep": [a, ids[a]], "cls": [b, ids[b]], "trim_offsets": maybe(), "add_prefix_space": maybe()}
        s = {n: {"id": n, "ids": [ids[n]] if maybe(0.8) else [ids[n], ids[pick(*names)]], "tokens": [n]} for n in {a, b}}
        for n in s: s[n]["tokens"] = [n] * len(s[n]["ids"])
        body = [one(a)] * pick(0, 1, 1) + [{"Sequence": {"id": "A", "type_id": 0}}] + [one(b)] * pick(0, 1)
        return {"type": k, "single": body, "pair": body + [{"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": s}
    if k == "Sequence": return {"type": k, "processors": [single(pick("ByteLevel", "TemplateProcessing", "BertProcessing")) for _ in range(R.randrange(0, 3))]}
    return single(k)


def make():
    """tokenizer.json as a dict, or None where the library will not train."""
    corpus = [text(None) for _ in range(60)]
    kind = pick("BPE", "BPE", "BPE", "Unigram", "WordPiece", "WordLevel")
    norm = normalizer() if maybe(0.5) else None
    pre = pretok() if maybe(0.8) else None
    specials = R.sample(["<s>", "</s>", "<unk>", "<pad>", "[CLS]", "<mask>", "  ", "\t\t", "é", "def", "a b"], R.randrange(0, 5))
    base = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": norm, "pre_tokenizer": pre, "post_processor": None, "decoder": None}
    unk = "<unk>" if maybe(0.7) or kind == "Unigram" else None
    vocab_extra = [s for s in specials if maybe()]
    if unk and unk not in vocab_extra: vocab_extra.insert(0, unk)
    if kind == "BPE":
        m = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": {}, "merges": []}
    elif kind == "Unigram":
        m = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]], "byte_fallback": False}
    elif kind == "WordPiece":
        m = {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {}}
    else:
        m = {"type": "WordLevel", "vocab": {}, "unk_token": "<unk>"}
    t = Tokenizer.from_str(json.dumps({**base, "model": m}))
    opt = dict(vocab_size=pick(150, 300, 600), show_progress=False, special_tokens=vocab_extra)
    bytelevel = "ByteLevel" in json.dumps([norm, pre])
    if kind == "BPE":
        cp, ew = (pick("##", "@@") if maybe(0.15) else None), (pick("</w>", "_") if maybe(0.15) else None)
        if cp: opt["continuing_subword_prefix"] = cp
        if ew: opt["end_of_word_suffix"] = ew
        tr = trainers.BpeTrainer(min_frequency=1, initial_alphabet=["a", "Ġ"] if maybe() else [], limit_alphabet=pick(60, 1000), **opt)
    elif kind == "Unigram":
        opt["vocab_size"] = 1500
        tr = trainers.UnigramTrainer(unk_token="<unk>", **opt)
    elif kind == "WordPiece":
        cp = pick("##", "##", "", "@@")
        tr = trainers.WordPieceTrainer(continuing_subword_prefix=cp, limit_alphabet=pick(60, 1000), **opt)
    else:
        tr = trainers.WordLevelTrainer(**opt)
    t.train_from_iterator(corpus, tr)
    j = json.loads(t.to_str())
    m = j["model"]
    if kind == "BPE":
        m["unk_token"] = unk
        m["fuse_unk"] = maybe(0.3)
        m["ignore_merges"] = maybe(0.3)
        m["byte_fallback"] = maybe(0.3)
        if maybe(0.1): m["dropout"] = 0.0
        n = max(m["vocab"].values(), default=-1) + 1
        if m["byte_fallback"] or maybe(0.1):
            for b in range(256):
                if f"<0x{b:02X}>" not in m["vocab"] and not maybe(0.01):
                    m["vocab"][f"<0x{b:02X}>"] = n
                    n += 1
        if maybe(0.3): m["merges"] = [" ".join(p) for p in m["merges"]] if not any(" " in x for p in m["merges"] for x in p) else m["merges"]
        if m["merges"] and maybe(0.1): R.shuffle(m["merges"])
        if maybe(0.2):  # words no merge makes
            for w in ("return", "Ġreturn", "▁self", "éa"):
                if w not in m["vocab"]: m["vocab"][w] = n; n += 1
    elif kind == "Unigram":
        m["byte_fallback"] = maybe(0.4)
        if m["byte_fallback"]: m["vocab"] += [[f"<0x{b:02X}>", -15.0] for b in range(256) if not maybe(0.01) and f"<0x{b:02X}>" not in [v[0] for v in m["vocab"]]]
        if maybe(0.1): m["unk_id"] = None
    elif kind == "WordPiece":
        m["max_input_chars_per_word"] = pick(100, 5, 20)
        m["vocab"].setdefault("<unk>", len(m["vocab"]))
    else:
        m["vocab"].setdefault("<unk>", len(m["vocab"]))
    vocab = {v[0]: i for i, v in enumerate(m["vocab"])} if kind == "Unigram" else m["vocab"]
    added, top = [], max(vocab.values(), default=-1) + 1
    for s in dict.fromkeys(specials + vocab_extra):
        if s in vocab and maybe(0.3): continue
        i = vocab.get(s)
        if i is None: i, top = top, top + 1
        sp = maybe(0.6)
        added.append({"id": i, "content": s, "single_word": maybe(0.2), "lstrip": maybe(0.2), "rstrip": maybe(0.2), "normalized": maybe(0.3), "special": sp})
    added.sort(key=lambda a: a["id"])
    j["added_tokens"] = added
    if maybe(0.6): j["post_processor"] = post({a["content"]: a["id"] for a in added})
    if maybe(0.8):
        j["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True} if bytelevel and maybe(0.7) else dec()
    return j, added


def lines(exe, args, rows, key):
    r = subprocess.run([exe, "tok", *args], input="".join(json.dumps(x) + "\n" for x in rows), capture_output=True, text=True, timeout=60)
    return r.returncode, r.stderr.strip(), [json.loads(l)[key] for l in r.stdout.split("\n") if l] if r.returncode == 0 else None


def safe(f):
    try:
        return f()
    except BaseException as e:  # the library's panics are of a class of their own
        if isinstance(e, KeyboardInterrupt): raise
        return None


def check(a, i):
    R.seed(f"{a.seed}-{i}")
    out = f"{a.work}/{a.seed}-{i}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    try:
        j, added = make()
    except BaseException as e:
        shutil.rmtree(out)
        return "untrained", f"{out} {type(e).__name__} {str(e)[:200]}"
    f = f"{out}/tokenizer.json"
    json.dump(j, open(f, "w"), ensure_ascii=maybe(), indent=pick(None, 1))
    what = f"{out} {j['model']['type']}"
    t = safe(lambda: Tokenizer.from_file(f))
    extra = [x["content"] for x in added]
    texts = [text(extra) for _ in range(a.texts)]
    rc, err, got = lines(a.exe, ["encode", "--tokenizer", f, "--jsonl"], [{"text": x} for x in texts], "ids")
    if t is None:
        shutil.rmtree(out)
        return ("library", "") if rc in (0, 1, 2) else ("crashed", f"{what} rc={rc}")
    if rc:
        return ("refused" if rc in (1, 2) else "crashed"), f"{what} rc={rc}: {err}"
    for form, args, special, literal in (("encode", [], True, False), ("no-special", ["--no-special"], False, False), ("literal", ["--literal", "--no-special"], False, True)):
        if form != "encode":
            rc, err, got = lines(a.exe, ["encode", "--tokenizer", f, "--jsonl", *args], [{"text": x} for x in texts], "ids")
            if rc: return "refused", f"{what} {form} rc={rc}: {err}"
        t.encode_special_tokens = literal
        for x, g in zip(texts, got):
            want = safe(lambda: t.encode(x, add_special_tokens=special).ids)
            if want is not None and want != g:
                return "ids", f"{what} {form}: {x!r}: {g[:40]}, {want[:40]} expected"
        t.encode_special_tokens = False
    have = sorted(t.get_vocab(with_added_tokens=True).values())
    seqs = [[pick(*have) for _ in range(R.randrange(0, 12))] for _ in range(a.texts)] + [t.encode(x).ids for x in texts[:20] if safe(lambda: t.encode(x)) is not None] if have else []
    for skip in (False, True):
        rc, err, got = lines(a.exe, ["decode", "--tokenizer", f, "--jsonl", *(["--skip-special"] if skip else [])], [{"ids": s} for s in seqs], "text")
        if rc: return "refused", f"{what} decode rc={rc}: {err}"
        for s, g in zip(seqs, got):
            want = safe(lambda: t.decode(s, skip_special_tokens=skip))
            if want is not None and want != g:
                return "decode", f"{what} skip={skip}: {s[:30]}: {g!r}, {want!r} expected"
    shutil.rmtree(out)
    return "same", ""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--scbench", default="build/scbench")
    p.add_argument("--work", required=True)
    p.add_argument("--n", type=int, default=100)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--texts", type=int, default=60)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    a.exe = os.path.abspath(a.scbench)
    os.makedirs(a.work, exist_ok=True)
    total = {}
    for i in range(a.first, a.first + a.n):
        kind, what = check(a, i)
        total[kind] = total.get(kind, 0) + 1
        if kind not in ("same", "library") and (kind != "untrained" or a.verbose):
            print(f"{kind}: {i}: {what}"[:700], flush=True)
    print(f"tokenizers {tokenizers.__version__}: {json.dumps(total)}")
    sys.exit(1 if set(total) & {"ids", "decode", "crashed"} else 0)


if __name__ == "__main__":
    main()
