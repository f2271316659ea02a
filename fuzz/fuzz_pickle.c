// SPDX-License-Identifier: MIT
#include "fmt/pickle.h"
#include "fmt/torch_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_pickle) *p = NULL;
    sc_cur c = sc_cur_init(bytes, size);
    if (sc_pickle_parse(&c, &p, &err) != SC_OK) {
        if (err.code == SC_OK || !err.msg[0] || (err.at != SC_NOWHERE && err.at > size))
            abort();
        return 0;
    }
    // The promises of pickle.h: items are values, texts lie in the input.
    const size_t n = sc_pickle_n_values(p);
    if (sc_pickle_root(p) >= n)
        abort();
    volatile uint8_t sink = 0;
    for (size_t v = 0; v < n; v++) {
        const sc_str s = sc_pickle_str(p, (sc_pkl)v);
        if (s.n)
            sink = (uint8_t)(sink ^ s.p[0] ^ s.p[s.n - 1]);
        for (size_t i = 0; i < sc_pickle_n_items(p, (sc_pkl)v); i++)
            if (sc_pickle_item(p, (sc_pkl)v, i) >= n)
                abort();
    }
    json_t *json = NULL;
    if (sc_torch_json(p, sc_pickle_root(p), &json, &err) == SC_OK)
        json_decref(json);
    return 0;
}
