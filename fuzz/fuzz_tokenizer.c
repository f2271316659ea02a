// SPDX-License-Identifier: MIT
/* The bytes of a tokenizer.json; what opens must encode and decode without harm. */
#include "base/json.h"
#include "tok/tok.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const texts[] = {
        "",
        " ",
        "def f(x):\n    return x  # 1234\n",
        "<s>ab  \xC3\xA9\xE4\xB8\x80 e\xCC\x81\t",
        "\xF0\x9F\x98\x80'LL \xE2\x96\x81\xE2\x96\x81zz..",
    };
    sc_err err = {0};
    SC_AUTO(sc_tok) *t = NULL;
    // A pattern may be slow by nature; its size bounds how slow.
    if (size > 1 << 16 || sc_tok_parse(bytes, size, &t, &err) != SC_OK)
        return 0;
    for (size_t i = 0; i < SC_LEN(texts); i++) {
        SC_AUTO(sc_ids) ids = {0};
        SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
        SC_AUTO(sc_buf) stream = sc_buf_init(1 << 20);
        if (sc_tok_encode(t, sc_str_c(texts[i]), i % 2 ? SC_TOK_SPECIAL : 0, &ids, &err) != SC_OK)
            continue;
        for (size_t k = 0; k < ids.n; k++)
            if (ids.p[k] < 0)
                abort();
        // Only the buffer's ceiling, memory or a slow pattern can end it.
        const sc_code code = sc_tok_decode(t, ids.p, ids.n, i % 2, &text, &err);
        if (code != SC_OK && code != SC_E_NOMEM && code != SC_E_LIMIT)
            abort();
        sc_detok d;
        sc_detok_init(&d, t, false);
        for (size_t k = 0; k < ids.n; k++)
            sc_detok_push(&d, ids.p[k], &stream);
        sc_detok_flush(&d, &stream);
    }
    for (uint32_t id = 0; id < sc_tok_size(t) && id < 1000; id++) {
        const sc_str s = sc_tok_text(t, (int32_t)id);
        if (s.n && sc_tok_find(t, s) < 0)
            abort();
    }
    return 0;
}
