"""Writes idna_tables.rs from the `idna` package and the Python that python-legacy pins: run after
upgrading either."""

import sys
import unicodedata

import idna
from idna import idnadata


def ranges(encoded):
    return [(r >> 32, (r & 0xFFFFFFFF) - 1) for r in encoded]


def table(name, doc, encoded):
    rows = [f"(0x{a:x}, 0x{b:x})," for a, b in ranges(encoded)]
    lines, line = [], "   "
    for row in rows:
        if len(line) + len(row) > 98:
            lines.append(line)
            line = "   "
        line += f" {row}"
    lines.append(line)
    body = "\n".join(lines)
    print(f"\n/// {doc}\n#[rustfmt::skip]\npub(super) const {name}: &[(u32, u32)] = &[\n{body}\n];")


print("//! Code point classes of IDNA 2008 (RFC 5892), inclusive ranges in ascending order.")
print(f"//! Written by `idna_tables.py` from idna {idna.__version__}.")
print('\n#![expect(clippy::unreadable_literal, reason = "code points are written as they are")]')
classes = idnadata.codepoint_classes
table("PVALID", "Valid in a label.", classes["PVALID"])
table("CONTEXTJ", "Joiners, valid in some contexts.", classes["CONTEXTJ"])
table("CONTEXTO", "Others that are valid in some contexts only.", classes["CONTEXTO"])
for joining in "LDRT":
    table(f"JOINING_{joining}", f"Joining type {joining}.", idnadata.joining_types[joining])
for script in ("Greek", "Hebrew", "Hiragana", "Katakana", "Han"):
    table(script.upper(), f"Script {script}.", idnadata.scripts[script])

assigned = []
for code in range(sys.maxunicode + 1):
    if unicodedata.category(chr(code)) not in ("Cn", "Cs"):
        if assigned and assigned[-1] & 0xFFFFFFFF == code:
            assigned[-1] += 1
        else:
            assigned.append(code << 32 | code + 1)
table("ASSIGNED", f"What Unicode {unicodedata.unidata_version} knows.", assigned)
