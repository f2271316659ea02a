// SPDX-License-Identifier: MIT
#include "score/clean.h"
#include "score/extract.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Every protocol's cleaning, in both modes, of both kinds of tasks. */
static void clean_all(sc_str entry, sc_str answer)
{
    static const sc_str prompt = {"def f(x):\n", 10};
    SC_AUTO(sc_buf) program = sc_buf_init(1 << 24);
    for (const sc_protocol *const *p = sc_protocols; *p; p++)
        for (unsigned i = 0; i < 8; i++) {
            const sc_task t = {
                .prompt = prompt, .entry_point = entry, .whole = i & 1, .helpers = i & 2};
            const sc_form *f = sc_protocol_form(*p, &t, i & 4 ? SC_PROMPT_CHAT : SC_PROMPT_BASE);
            sc_clean_note note = {0};
            sc_err err = {0};
            if (sc_clean_needs_tools(f->clean))
                continue;
            if (sc_clean(f, &t, prompt, answer, i & 1, NULL, &program, &note, &err) != SC_OK)
                abort(); // memory is enough here
            if (!note.how || program.n > prompt.n + 5 * answer.n + 4)
                abort();
        }
}

/* The first line is the entry point, the rest the answer. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *p = (const char *)bytes;
    const char *end = size ? memchr(p, '\n', size) : NULL;
    const size_t first = end ? (size_t)(end - p) : size;
    const sc_str entry = {p, first}, answer = {p + first, size - first};
    SC_AUTO(sc_buf) made = sc_buf_init(1 << 24);
    const sc_extracted x = sc_extract(answer, entry, SC_STR("def f(x):\n"), &made);
    // The code is a piece of the answer or what was made, and NONE is the only one that has no
    // code.
    const bool piece = x.code.p >= answer.p && x.code.p + x.code.n <= answer.p + answer.n;
    if (!sc_buf_ok(&made) || (!piece && x.code.p != sc_buf_text(&made)))
        abort();
    if ((x.how == SC_EXTRACT_NONE) != (x.code.n == 0))
        abort();
    if (x.how == SC_EXTRACT_RAW && x.code.n != answer.n)
        abort();
    clean_all(entry, answer);
    return 0;
}
