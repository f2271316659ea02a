/**
 * extract.h - the code in a model's answer.
 *
 * One rule for all models, in this order. A step takes something away only where the text could not
 * run as it was: a program without talk around it stays byte for byte (step 3).
 *  1. A byte order mark at the start and marks of a turn's end at the end (`<|im_end|>`,
 *     `<|endoftext|>`, `<|eot_id|>`, `<|end|>`, `</s>`, `</answer>`) are dropped.
 *  2. Thinking is dropped: everything up to the last closing marker (`</think>`, `</thinking>`,
 *     `<|end_of_thought|>`). An opening marker that is never closed: no code, the answer was cut
 *     off.
 *  3. A program is taken as it is: it defines the entry point at the start of a line, every line
 *     at the margin before that may be code (a comment, a string, a keyword, a definition, an
 *     assignment), and no line is prose. Prose is what Python compiles nowhere (pyline.h).
 *  4. Of the fenced blocks (three or more backticks or tildes, indented up to three spaces) the
 *     last one that defines the entry point is taken. If none does, fences are also looked for
 *     deeper in the line, as in a list, and behind text ("Here it is: ```python"); again the last
 *     block that defines the entry point. If none does, and what stands before the first fence
 *     defines it or begins indented, then that fence closes what nothing opened: what stands before
 *     it is the code, and steps 6 and 7 go on with it. Else the first block that is marked as
 *     Python or not marked at all is taken.
 *     - A block ends at a fence of its kind with nothing behind it but a mark of step 1; without
 *       one, at a fence at the end of a line of code; without that, with the text. A fence without
 *       a word is no opening one if one that says Python follows it before the next plain one.
 *     - Its lines lose as much of the opening fence's indentation as all of them have.
 *  5. Before the block that defines the entry point come those other Python blocks that define or
 *     import (`def`, `class`, `import`) a name which it, or a block that is taken already, uses and
 *     does not bind itself. A block that uses the entry point is an example and is never taken.
 *     Of texts above 256 KiB, and beyond 16 blocks, nothing is joined.
 *  6. Without a fence, if the entry point is defined at the start of a line and the text does not
 *     begin indented: what stands before the first line that begins an import, a decorator, a
 *     definition or an assignment is dropped if it cannot be code as in step 3, and so is
 *     what follows from the first line of prose behind the entry point on. A text that begins
 *     indented, a body, ends before its first line of prose.
 *  7. Code that continues a prompt of whole lines, but has a `return` at the margin, is a
 *     function's body without its indentation: the prose before it is dropped, it ends with that
 *     statement, and gets four spaces. If only its first
 *     line is at the margin, that line gets the indentation of the others.
 *  8. Else the text is taken as it is, byte for byte.
 *
 * The raw text is always kept by the caller.
 *
 * Threads: any thread.
 * Source:  CommonMark 0.31 section 4.5 (fenced code blocks), which knows the fences of step 4 that
 *          begin a line; the rest is what models write.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_SCORE_EXTRACT_H
#define SC_SCORE_EXTRACT_H

#include "base/buf.h"

#include <stdbool.h>

typedef enum sc_extract_how {
    SC_EXTRACT_RAW,     // as it was
    SC_EXTRACT_CUT,     // without what stands at its ends, else as it was
    SC_EXTRACT_THOUGHT, // behind the thinking, else as it was
    SC_EXTRACT_FENCE,   // a fenced block
    SC_EXTRACT_PROSE,   // prose before the code was dropped
    SC_EXTRACT_INDENT,  // a body got its indentation
    SC_EXTRACT_NONE,    // no code: thinking without an end, or nothing but white space
} sc_extract_how;

typedef struct sc_extracted {
    sc_str code; // borrowed from the answer or from `made`
    sc_extract_how how;
    bool defines; // the code defines the entry point at the start of a line
    bool more;    // something stands behind the code: it is not what a limit broke off
    bool alone;   // it defines it and was taken out of talk: a program, not the rest of a prompt
} sc_extracted;

/**
 * `prompt` is the code that the answer continues, empty when it is a program of its own. What is
 * put together (steps 4, 5 and 7) is written into `made` (cleared first); when memory is short that
 * buffer says so, and the code is not to be used.
 */
sc_extracted sc_extract(sc_str answer, sc_str entry_point, sc_str prompt, sc_buf *made);

/** "raw", "cut", "thought", "fence", "prose", "indent", "none". */
const char *sc_extract_name(sc_extract_how how);

#endif
