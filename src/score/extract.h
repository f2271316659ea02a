/**
 * extract.h - the code in a model's answer.
 *
 * One rule for all models, in this order:
 *  1. Thinking is dropped: everything up to the last closing marker (`</think>`, `</thinking>`,
 *     `<|end_of_thought|>`). An opening marker that is never closed: no code, the answer was cut
 * off.
 *  2. Of the fenced blocks (three or more backticks or tildes, indented up to three spaces; a fence
 *     that is never closed ends with the text) the last one that defines the entry point is taken;
 *     if none does, the first one marked as Python or not marked at all.
 *  3. Without a fence, prose is dropped if the entry point is defined at the start of a line: what
 *     stands before the first line that begins with an import, a decorator, `def`, `async def` or
 *     `class`.
 *  4. Else the text is taken as it is, byte for byte.
 *
 * The raw text is always kept by the caller.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_EXTRACT_H
#define SC_SCORE_EXTRACT_H

#include "base/str.h"

#include <stdbool.h>

typedef enum sc_extract_how {
    SC_EXTRACT_RAW,     // as it was
    SC_EXTRACT_THOUGHT, // behind the thinking, else as it was
    SC_EXTRACT_FENCE,   // a fenced block
    SC_EXTRACT_PROSE,   // prose before the code was dropped
    SC_EXTRACT_NONE,    // no code: thinking without an end, or nothing but white space
} sc_extract_how;

typedef struct sc_extracted {
    sc_str code; // borrowed from the answer
    sc_extract_how how;
    bool defines; // the code defines the entry point at the start of a line
} sc_extracted;

sc_extracted sc_extract(sc_str answer, sc_str entry_point);

/** "raw", "thought", "fence", "prose", "none". */
const char *sc_extract_name(sc_extract_how how);

#endif
