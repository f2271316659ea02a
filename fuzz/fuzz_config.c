/* config.json of any content: refused, or numbers that the header's promises hold for. */
// SPDX-License-Identifier: MIT
#include "model/config.h"
#include "model/rope.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(const sc_config *c)
{
    if (c->heads % c->kv_heads || c->rope.dim > c->head_dim || c->rope.dim % 2 ||
        c->rope.dim / 2 > SC_CONFIG_MAX_ROPE || c->layers > SC_CONFIG_MAX_LAYERS)
        abort();
    float cosine[SC_CONFIG_MAX_ROPE], sine[SC_CONFIG_MAX_ROPE];
    sc_rope_table table;
    sc_rope_init(&table, c);
    sc_rope_angles(&table, c->ctx - 1, c->ctx, cosine, sine);
    volatile uint64_t sink = sc_config_params(c);
    for (uint32_t l = 0; l < c->layers; l++)
        sink = sink + sc_config_window(c, l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO_JSON *o = NULL;
    if (sc_json_parse((sc_str){(const char *)bytes, size}, &o, &err) != SC_OK)
        return 0;
    sc_config c;
    if (sc_config_read_hf(o, &c, &err) == SC_OK)
        use(&c);
    if (sc_config_read_smallcoder(o, &c, &err) == SC_OK)
        use(&c);
    return 0;
}
