#!/usr/bin/env python3
"""Makes src/tok/unicode_tables.c: which characters the tokenizers library takes for letters, digits, marks, ...

usage: make_unicode.py probe OUT.json      asks the library itself (Python package `tokenizers`) for what no file says
       make_unicode.py tables CLASSES.json FORMS.json.gz PROBE.json OUT.c

CLASSES and FORMS are the golden files tokenizers/unicode/classes.json and forms.json.gz. The library mixes several
versions of Unicode, so the tables are of what it does, not of a version of the standard. Run it with a Python whose
unicodedata is 14.0 (3.11, Debian 12's): the additions are against PCRE2's oldest tables that we accept.
"""
import gzip
import json
import sys
import unicodedata

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# Bit of src/tok/unicode.h -> name in classes.json.
FLAGS = ["regex \\p{L}", "regex \\p{N}", "regex \\p{P}", "regex \\p{M}", "regex \\s", "regex \\w", "Digits", "Punctuation",
         "Whitespace word", "regex \\p{Lu}", "regex \\p{Ll}", "regex \\p{Lt}", "regex \\p{Lm}", "regex \\p{Lo}", "regex \\p{Nd}",
         "regex \\p{Han}"]
# Characters that a class of the library has and PCRE2 with Unicode 14 lacks: C name -> (class, what PCRE2 takes).
ADDED = {"L": "L", "N": "N", "P": "P", "M": "M", "Lu": "Lu", "Ll": "Ll", "Lt": "Lt", "Lm": "Lm", "Lo": "Lo", "Nd": "Nd"}


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def points(rows):
    return {c for a, b in rows for c in range(a, b + 1)}


def probe(path):
    from tokenizers import normalizers, pre_tokenizers
    def bert(**on):
        keys = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
        return normalizers.BertNormalizer(**{**keys, **on})
    clean, wide, accents = bert(clean_text=True), bert(handle_chinese_chars=True), bert(strip_accents=True)
    scripts = pre_tokenizers.UnicodeScripts()
    some = [c for c in POINTS if scripts.pre_tokenize_str(chr(c))]
    first, rows = [], []
    for c in some:
        # A script is known by the first character that has it.
        if rows and rows[-1][1] == c - 1 and len(scripts.pre_tokenize_str(chr(first[rows[-1][2]]) + chr(c))) == 1:
            rows[-1][1] = c
            continue
        for k, f in enumerate(first):
            if len(scripts.pre_tokenize_str(chr(f) + chr(c))) == 1:
                break
        else:
            k = len(first)
            first.append(c)
        rows.append([c, c, k])
    out = {
        "bert_removes": ranges(c for c in POINTS if clean.normalize_str("a" + chr(c) + "a") == "aa"),
        "bert_space": ranges(c for c in POINTS if clean.normalize_str("a" + chr(c) + "a") == "a a"),
        "bert_wide": ranges(c for c in POINTS if wide.normalize_str(chr(c)) == " " + chr(c) + " "),
        "bert_accents": ranges(c for c in POINTS if accents.normalize_str("a" + chr(c) + "a") == "aa"),
        "scripts": rows,
    }
    with open(path, "w") as f:
        json.dump(out, f, separators=(",", ":"))
        f.write("\n")


def put_numbers(out, head, numbers, form="%d"):
    out.append(head + " = {")
    line = "   "
    for n in numbers:
        item = " " + form % n + ","
        if len(line) + len(item) > 100:
            out.append(line)
            line = "   "
        line += item
    out.append(line)
    out.append("};\n")


def put_structs(out, kind, name, rows):
    # An empty array is not C: one row that is never looked at.
    some = rows or [[0] * 3 if "script" in kind else [0, 0]]
    put_numbers(out, f"const {kind} {name}[{len(some)}]", ["{" + ", ".join("0x%X" % x for x in r) + "}" for r in some], "%s")
    out.append(f"const size_t {name}_n = {len(rows)};\n")


def put_ranges(out, name, rows):
    put_structs(out, "sc_uni_range", name, rows)


def forms_of(d):
    return {int(k, 16): [int(x, 16) for x in v.split()] for k, v in d.items()}


def compositions(nfc, nfd):
    """Pairs that compose: (first, second) -> composite, from the full decompositions."""
    whole = {tuple(v): k for k, v in sorted(nfd.items(), reverse=True) if k not in nfc}
    out = {}
    for k, v in nfd.items():
        if k in nfc or len(v) < 2:
            continue
        head = v[0] if len(v) == 2 else whole.get(tuple(v[:-1]))
        assert head is not None, hex(k)
        out[head, v[-1]] = k
    return out


def put_map(out, name, rows):
    """Code point -> code points: sorted keys, offsets, one pool."""
    keys = sorted(rows)
    pool, at, seen = [], [], {}
    for k in keys:
        v = tuple(rows[k])
        if v not in seen:
            seen[v] = len(pool)
            pool.extend(v)
        at.append(seen[v] * 32 + len(v))
    put_numbers(out, f"static const uint32_t {name}_keys[{len(keys)}]", keys, "0x%X")
    put_numbers(out, f"static const uint32_t {name}_at[{len(keys)}]", at)
    put_numbers(out, f"static const uint32_t {name}_pool[{len(pool)}]", pool, "0x%X")
    out.append(f"const sc_uni_map sc_uni_{name} = {{{name}_keys, {name}_at, {name}_pool, {len(keys)}}};\n")


def tables(classes_path, forms_path, probe_path, out_path):
    assert unicodedata.unidata_version == "14.0.0", unicodedata.unidata_version
    classes = json.load(open(classes_path))
    forms = json.load(gzip.open(forms_path))
    asked = json.load(open(probe_path))
    sets = {k: points(v) for k, v in classes.items()}
    sets["Whitespace word"].add(ord("q"))

    flags = [0] * 0x110000
    for bit, name in enumerate(FLAGS):
        for c in sets[name]:
            flags[c] |= 1 << bit
    blocks, index = {}, []
    for b in range(0, 0x110000, 128):
        index.append(blocks.setdefault(tuple(flags[b:b + 128]), len(blocks)))

    out = ["// SPDX-License-Identifier: MIT", "// Made by tools/make_unicode.py; do not edit.", "// clang-format off",
           '#include "tok/unicode.h"\n']
    put_numbers(out, f"const uint16_t sc_uni_index[{len(index)}]", index)
    put_numbers(out, f"const uint16_t sc_uni_block[{len(blocks) * 128}]", [f for b in blocks for f in b])
    category = [unicodedata.category(chr(c)) for c in range(0x110000)]
    for name, want in ADDED.items():
        have = {c for c in range(0x110000) if category[c].startswith(want)}
        target = sets["regex \\p{%s}" % name]
        assert have <= target, name
        put_ranges(out, "sc_uni_added_" + name, ranges(target - have))
    base = {c for c in range(0x110000) if category[c][0] in "LM" or category[c] in ("Nd", "Nl", "Pc")}
    assert base <= sets["regex \\w"]
    put_ranges(out, "sc_uni_added_w", ranges(sets["regex \\w"] - base))
    put_ranges(out, "sc_uni_accents", ranges(sets["StripAccents removes"]))
    for name in ("bert_removes", "bert_space", "bert_wide", "bert_accents"):
        put_ranges(out, "sc_uni_" + name, asked[name])
    put_ranges(out, "sc_uni_nmt_removes", ranges(sets["Nmt removes"]))
    put_ranges(out, "sc_uni_nmt_space", ranges(sets["Nmt makes a space"]))
    rows = asked["scripts"]
    put_structs(out, "sc_uni_script_range", "sc_uni_scripts", rows)

    nfc, nfd, nfkd = forms_of(forms["NFC"]), forms_of(forms["NFD"]), forms_of(forms["NFKD"])
    put_map(out, "nfd", nfd)
    put_map(out, "nfkd", {k: v for k, v in nfkd.items() if nfd.get(k) != v})
    put_map(out, "lower", forms_of(forms["Lowercase"]))
    pairs = compositions(nfc, nfd)
    put_structs(out, "sc_uni_pair", "sc_uni_pairs", [(a, b, pairs[a, b]) for (a, b) in sorted(pairs)])
    marks = {c: unicodedata.combining(chr(c)) for c in range(0x110000)}
    rows = []
    for c in range(0x110000):
        if marks[c]:
            if rows and rows[-1][1] == c - 1 and rows[-1][2] == marks[c]:
                rows[-1][1] = c
            else:
                rows.append([c, c, marks[c]])
    put_structs(out, "sc_uni_script_range", "sc_uni_combining", rows)
    with open(out_path, "w") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "probe":
        probe(sys.argv[2])
    elif len(sys.argv) == 6 and sys.argv[1] == "tables":
        tables(*sys.argv[2:])
    else:
        sys.exit(__doc__)
