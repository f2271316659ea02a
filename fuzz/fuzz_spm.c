// SPDX-License-Identifier: MIT
/* The bytes of a SentencePiece model. */
#include "tok/tok_impl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    if (sc_tok_parse_spm(bytes, size, &t, &err) != SC_OK)
        return 0;
    if (sc_tok_encode(t, SC_STR("a b  ab\xC3\xA9 <s>ba\n"), SC_TOK_SPECIAL, &ids, &err) != SC_OK)
        return 0;
    for (size_t i = 0; i < ids.n; i++)
        if (ids.p[i] < 0 || (uint32_t)ids.p[i] >= sc_tok_size(t))
            abort();
    // Only the buffer's ceiling or memory can end it.
    const sc_code code = sc_tok_decode(t, ids.p, ids.n, false, &text, &err);
    if (code != SC_OK && code != SC_E_NOMEM && code != SC_E_LIMIT)
        abort();
    return 0;
}
