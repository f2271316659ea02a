#!/usr/bin/env python3
"""Makes src/tok/class_tables.c: the characters of every named class of the tokenizers library's regex engine.

usage: make_classes.py OUT.c      (a Python with the package `tokenizers`; 0.22 and 0.23 give the same file)

The library is asked about every character under every name; names that it does not know are left out. A name is
written without '_' and in lower case. "[:word:]" and "[:punct:]" hold something else than \\p{Word} and \\p{Punct}:
their names are written with a colon in front.
"""
import sys

CLASSES = """Alpha Alnum Upper Lower Graph Print Cntrl Blank XDigit ASCII Any Alphabetic Uppercase Lowercase Ideographic Emoji Extended_Pictographic
Mn Nonspacing_Mark Mc Spacing_Mark Me Enclosing_Mark Nl Letter_Number No Other_Number Pc Connector_Punctuation Pd Dash_Punctuation
Ps Open_Punctuation Pe Close_Punctuation Pi Initial_Punctuation Pf Final_Punctuation Po Other_Punctuation S Symbol Sm Math_Symbol
Sc Currency_Symbol Sk Modifier_Symbol So Other_Symbol Z Separator Zs Space_Separator Zl Line_Separator Zp Paragraph_Separator
C Other Cc Control Cf Format Cn Unassigned Co Private_Use""".split()
SCRIPTS = """Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese
Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret
Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati
Gunjala_Gondi Gurmukhi Gurung_Khema Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi
Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin
Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek
Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko
Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian
Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra
Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham
Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho
Warang_Citi Yezidi Yi Zanabazar_Square""".split()
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def holds(pattern):
    """The characters that `pattern` matches."""
    from tokenizers import Regex, normalizers
    removes = normalizers.Replace(Regex(pattern), "")
    out = set()
    for i in range(0, len(POINTS), 2048):
        text = "".join(map(chr, POINTS[i:i + 2048]))
        out |= set(text) - set(removes.normalize_str(text))
    return {ord(c) for c in out}


def ranges(points):
    out = []
    for c in sorted(points):
        if out and (out[-1][1] == c - 1 or (c == 0xE000 and out[-1][1] == 0xD7FF)):
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def put(out, items):
    line = "   "
    for item in items:
        if len(line) + len(item) + 1 > 100:
            out.append(line)
            line = "   "
        line += " " + item
    out.append(line)


def main(path):
    names = {n.replace("_", "").lower(): r"\p{%s}" % n for n in CLASSES + SCRIPTS}
    names.update({":word": "[[:word:]]", ":punct": "[[:punct:]]", "punct": r"\p{Punct}"})
    pool, at, rows = [], {}, []
    for name in sorted(names):
        try:
            r = tuple(map(tuple, ranges(holds(names[name]))))
        except Exception:
            print(f"{names[name]}: unknown to the library", file=sys.stderr)
            continue
        if r not in at:
            at[r] = len(pool)
            pool.extend(r)
        rows.append((name, at[r], len(r)))
    out = ["// SPDX-License-Identifier: MIT", "// Made by tools/make_classes.py; do not edit.", "// clang-format off", '#include "tok/unicode.h"\n',
           f"const sc_uni_range sc_uni_class_pool[{len(pool)}] = {{"]
    put(out, ["{0x%X, 0x%X}," % r for r in pool])
    out += ["};\n", f"const sc_uni_class sc_uni_classes[{len(rows)}] = {{"]
    put(out, ['{"%s", %d, %d},' % r for r in rows])
    out += ["};", f"const size_t sc_uni_classes_n = {len(rows)};"]
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
