// SPDX-License-Identifier: MIT
#include "fmt/gguf.h"

#include "tok/tok_impl.h"

sc_code sc_tok_open_gguf(const sc_gguf *g, sc_tok **out, sc_err *err)
{
    (void)g;
    (void)out;
    return sc_fail(err, SC_E_UNSUPPORTED, "GGUF vocabularies");
}
sc_code sc_tok_open_merges(const char *dir, sc_tok **out, sc_err *err)
{
    (void)out;
    return sc_fail(err, SC_E_UNSUPPORTED, "%s", dir);
}
sc_code sc_tok_parse_spm(const void *bytes, size_t n, sc_tok **out, sc_err *err)
{
    (void)bytes;
    (void)out;
    return sc_fail(err, SC_E_UNSUPPORTED, "%zu", n);
}
