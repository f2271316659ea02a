// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "base/mem.h"
#include "score/samples.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char text[] =
        "{\"name\":\"HumanEval/0\",\"prompt\":\"p\",\"entry_point\":\"f\",\"test\":\"t\"}\n"
        "{\"name\":\"MBPP/1\",\"prompt\":\"p\",\"test\":\"t\",\"whole\":true}\n";
    sc_err err = {0};
    SC_AUTO(sc_suite) *suite = NULL;
    SC_AUTO(sc_samples) *in = NULL;
    if (sc_suite_parse(sc_str_c(text), "t", &suite, &err) != SC_OK)
        abort();
    if (sc_samples_parse((sc_str){(const char *)bytes, size}, suite, &in, &err) != SC_OK)
        return 0;
    size_t n = 0;
    const sc_sample_in *at = sc_samples_at(in, &n);
    volatile char sink = 0;
    for (size_t i = 0; i < n; i++) {
        if (!at[i].task)
            abort();
        if (at[i].text.n)
            sink = (char)(sink ^ at[i].text.p[0] ^ at[i].text.p[at[i].text.n - 1]);
    }
    return 0;
}
