// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "kern/dequant.h"
#include "kern/half.h"
#include "kern/pack.h"
#include "t.h"

#include <math.h>

/* The reference's blocks: T.raw and T.f32, x.f32 and x.T, in a safetensors file. */
typedef struct goldens {
    sc_map *map;
    json_t *head;
    const uint8_t *data;
} goldens;

static bool open_goldens(goldens *g)
{
    const char *root = getenv("SC_GOLDENS");
    char path[4096];
    sc_err err = {0};
    *g = (goldens){0};
    (void)snprintf(path, sizeof path, "%s/gguf/blocks.safetensors",
                   root ? root : "../shared/goldens");
    if (sc_map_open(path, &g->map, &err) != SC_OK)
        return false;
    size_t size = 0;
    const uint8_t *p = sc_map_bytes(g->map, &size);
    uint64_t n = 0;
    memcpy(&n, p, 8);
    CHECK_OK(sc_json_parse((sc_str){(const char *)p + 8, (size_t)n}, &g->head, &err), &err);
    g->data = p + 8 + n;
    return true;
}

static void close_goldens(goldens *g)
{
    json_decref(g->head);
    sc_map_close(g->map);
}

/* The bytes of a tensor, or NULL; its two extents. */
static const uint8_t *tensor(const goldens *g, const char *name, const char *part, size_t dims[2])
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s.%s", name, part);
    const json_t *t = json_object_get(g->head, key);
    if (!t)
        return NULL;
    for (size_t i = 0; i < 2; i++)
        dims[i] = (size_t)json_integer_value(json_array_get(json_object_get(t, "shape"), i));
    return g->data + json_integer_value(json_array_get(json_object_get(t, "data_offsets"), 0));
}

TEST(dequantises_every_type_to_the_reference_bits)
{
    UNUSED;
    goldens g;
    if (!open_goldens(&g))
        SKIP("goldens", "no blocks.safetensors");
    size_t types = 0;
    for (unsigned t = 0; t < SC_DTYPE_N; t++) {
        const sc_dtype_facts *f = sc_dtype_info((sc_dtype)t);
        size_t raw_dims[2], dims[2];
        const uint8_t *raw = tensor(&g, f->name, "raw", raw_dims);
        const uint8_t *want = tensor(&g, f->name, "f32", dims);
        if (!raw || !want)
            continue;
        types++;
        assert_int_equal(raw_dims[1], f->size);
        assert_int_equal(dims[1], f->block);
        for (size_t b = 0; b < dims[0]; b++) {
            float got[SC_BLOCK_MAX];
            sc_dequant_row((sc_dtype)t, got, raw + b * f->size, f->block);
            if (memcmp(got, want + 4 * b * f->block, 4u * f->block) != 0)
                fail_msg("%s: block %zu differs", f->name, b);
        }
    }
    assert_true(types >= 23);
    close_goldens(&g);
}

TEST(quantises_as_the_reference_does)
{
    UNUSED;
    goldens g;
    if (!open_goldens(&g))
        SKIP("goldens", "no blocks.safetensors");
    size_t dims[2], types = 0;
    const uint8_t *x = tensor(&g, "x", "f32", dims);
    for (unsigned t = 0; t < SC_DTYPE_N; t++) {
        const sc_dtype_facts *f = sc_dtype_info((sc_dtype)t);
        size_t want_dims[2];
        const uint8_t *want = tensor(&g, "x", f->name, want_dims);
        if (!want || t == SC_F32)
            continue;
        types++;
        CHECK(sc_quant_has((sc_dtype)t));
        for (size_t r = 0; r < dims[0]; r++) {
            uint8_t got[4096];
            float row[1024];
            memcpy(row, x + 4 * r * dims[1], 4 * dims[1]);
            sc_quant_row((sc_dtype)t, got, row, dims[1]);
            if (memcmp(got, want + r * want_dims[1], want_dims[1]) != 0)
                fail_msg("%s: row %zu differs", f->name, r);
        }
    }
    assert_true(types >= 7);
    close_goldens(&g);
}

/* Random rows of every type: what a panel says of a row is what the row says. Some rows are absent.
 */
TEST(a_packed_row_keeps_its_bits)
{
    UNUSED;
    enum { COLS = 768 };
    uint32_t seed = 1;
    for (unsigned t = 0; t < SC_DTYPE_N; t++) {
        const sc_dtype_facts *f = sc_dtype_info((sc_dtype)t);
        if (!f->weights)
            continue;
        const size_t cols = f->block == 1 ? COLS - 3 : COLS;
        uint64_t size = 0;
        CHECK(sc_dtype_row_size((sc_dtype)t, cols, &size));
        uint8_t *rows = sc_alloc(SC_PANEL, (size_t)size);
        uint8_t *panel = sc_alloc_pages(sc_panel_size((sc_dtype)t, cols));
        const void *at[SC_PANEL];
        assert_true(rows && panel);
        for (size_t i = 0; i < SC_PANEL * size; i++)
            rows[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        for (size_t r = 0; r < SC_PANEL; r++)
            at[r] = r % 5 == 4 ? NULL : rows + (SC_PANEL - 1 - r) * size;
        sc_panel_pack((sc_dtype)t, panel, at, cols);
        const sc_mat m = sc_mat_of((sc_dtype)t, SC_PANEL, cols, panel);
        CHECK(m.panel_size % 64 == 0 && m.panel_size <= (size + size / 16 + 2) * SC_PANEL);
        for (size_t r = 0; r < SC_PANEL; r++) {
            float want[COLS] = {0}, got[COLS];
            if (at[r])
                sc_dequant_row((sc_dtype)t, want, at[r], cols);
            sc_mat_row(&m, got, r);
            for (size_t k = 0; k < cols; k++)
                if (!(want[k] == got[k] || (isnan(want[k]) && isnan(got[k]))))
                    fail_msg("%s: row %zu value %zu: %g, not %g", f->name, r, k, (double)got[k],
                             (double)want[k]);
        }
        sc_free(rows);
        sc_free_pages(panel, sc_panel_size((sc_dtype)t, cols));
    }
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(dequantises_every_type_to_the_reference_bits),
        T(quantises_as_the_reference_does),
        T(a_packed_row_keeps_its_bits),
    };
    return RUN_TESTS(tests);
}
