// SPDX-License-Identifier: MIT
/* The configuration of GGUF models whose tensors say what the keys do not, in one file and split.
 */
#include "base/buf.h"
#include "base/file.h"
#include "model/net.h"
#include "t.h"

#include <unistd.h>

enum { TYPE_U16 = 2, TYPE_U32 = 4, TYPE_I32 = 5, TYPE_STR = 8 };

static void put(sc_buf *b, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sc_buf_add_char(b, (char)(v >> 8 * i & 0xFF));
}

static void put_str(sc_buf *b, const char *s)
{
    put(b, strlen(s), 8);
    sc_buf_add_c(b, s);
}

static void put_key(sc_buf *b, const char *key, unsigned type, uint64_t v)
{
    put_str(b, key);
    put(b, type, 4);
    put(b, v, type == TYPE_U16 ? 2 : 4);
}

typedef struct tensor {
    const char *name;
    uint64_t cols, rows; // rows 0: a vector
} tensor;

/* Part `no` of `count`; the first one has the keys of `arch`. */
static void make_part(sc_buf *b, const char *arch, unsigned no, unsigned count, unsigned total,
                      const tensor *t, size_t n, unsigned align)
{
    static const char *const sizes[] = {"embedding_length", "block_count", "feed_forward_length",
                                        "attention.head_count", "context_length"};
    static const unsigned values[] = {8, 1, 8, 2, 64};
    char key[64];
    sc_buf_add_c(b, "GGUF");
    put(b, 3, 4);
    put(b, n, 8);
    put(b, (no == 0 ? 1 + SC_LEN(sizes) : 0) + (count > 1 ? 3 : 0) + (align != 32), 8);
    if (no == 0) {
        put_str(b, "general.architecture");
        put(b, TYPE_STR, 4);
        put_str(b, arch);
        for (size_t i = 0; i < SC_LEN(sizes); i++) {
            (void)snprintf(key, sizeof key, "%s.%s", arch, sizes[i]); // fits
            put_key(b, key, TYPE_U32, values[i]);
        }
    }
    if (align != 32)
        put_key(b, "general.alignment", TYPE_U32, align);
    if (count > 1) {
        put_key(b, "split.no", TYPE_U16, no);
        put_key(b, "split.count", TYPE_U16, count);
        put_key(b, "split.tensors.count", TYPE_I32, total);
    }
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        put_str(b, t[i].name);
        put(b, t[i].rows ? 2 : 1, 4);
        put(b, t[i].cols, 8);
        if (t[i].rows)
            put(b, t[i].rows, 8);
        put(b, 0, 4); // F32
        put(b, at, 8);
        at += (t[i].cols * (t[i].rows ? t[i].rows : 1) * 4 + align - 1) / align * align;
    }
    while (b->n % align)
        put(b, 0, 1);
    for (uint64_t i = 0; i < at / 4; i++)
        put(b, 0x3F800000, 4);
    CHECK(sc_buf_ok(b));
}

static sc_code read_parts(const char *arch, const tensor *const part[], const size_t n[],
                          unsigned count, unsigned first_align, sc_config *c, sc_err *err)
{
    char dir[SCRATCH], path[4][2 * SCRATCH];
    CHECK(mkdtemp(scratch_path(dir)) != NULL);
    unsigned total = 0;
    for (unsigned i = 0; i < count; i++)
        total += (unsigned)n[i];
    for (unsigned i = 0; i < count; i++) {
        SC_AUTO(sc_buf) b = sc_buf_init(1 << 16);
        make_part(&b, arch, i, count, total, part[i], n[i], i == 0 ? first_align : 32);
        (void)snprintf(path[i], sizeof path[i], count > 1 ? "%s/m-%05u-of-%05u.gguf" : "%s/m.gguf",
                       dir, i + 1, count); // fits
        FILE *f = fopen(path[i], "wb");
        CHECK(f && fwrite(sc_buf_text(&b), 1, b.n, f) == b.n);
        CHECK(f && fclose(f) == 0);
    }
    SC_AUTO(sc_weights) *w = NULL;
    sc_code code = sc_weights_open(path[0], &w, err);
    if (code == SC_OK)
        code = sc_net_config(w, c, err);
    for (unsigned i = 0; i < count; i++)
        CHECK(unlink(path[i]) == 0);
    CHECK(rmdir(dir) == 0);
    return code;
}

static const tensor embed[] = {{"token_embd.weight", 8, 16}};
static const tensor rest[] = {{"output.weight", 8, 16}, {"blk.0.attn_q_norm.weight", 4, 0}};

TEST(a_head_and_norms_in_a_later_part_are_the_models)
{
    UNUSED;
    sc_config c;
    sc_err err = {0};
    CHECK_OK(
        read_parts("qwen3", (const tensor *[]){embed, rest}, (size_t[]){1, 2}, 2, 32, &c, &err),
        &err);
    CHECK(!c.tied && c.qk_norm == SC_QK_RMS);
    CHECK_OK(read_parts("qwen3", (const tensor *[]){embed}, (size_t[]){1}, 1, 32, &c, &err), &err);
    CHECK(c.tied && c.qk_norm == SC_QK_NONE);
}

TEST(a_first_part_may_have_no_tensor)
{
    UNUSED;
    sc_config c;
    sc_err err = {0};
    CHECK_OK(read_parts("qwen3", (const tensor *[]){NULL, embed, rest}, (size_t[]){0, 1, 2}, 3, 32,
                        &c, &err),
             &err);
    CHECK(!c.tied && c.vocab == 16);
}

TEST(parts_of_two_alignments_are_refused)
{
    UNUSED;
    sc_config c;
    sc_err err = {0};
    CHECK_CODE(
        SC_E_UNSUPPORTED,
        read_parts("qwen3", (const tensor *[]){embed, rest}, (size_t[]){1, 2}, 2, 64, &c, &err),
        &err);
    CHECK(strstr(err.msg, "general.alignment"));
}

TEST(tables_of_longrope_need_no_type)
{
    UNUSED;
    static const tensor tables[] = {{"token_embd.weight", 8, 16},
                                    {"rope_factors_long.weight", 2, 0},
                                    {"rope_factors_short.weight", 2, 0}};
    sc_config c;
    sc_err err = {0};
    CHECK_OK(read_parts("phi3", (const tensor *[]){tables}, (size_t[]){3}, 1, 32, &c, &err), &err);
    CHECK(c.rope.kind == SC_ROPE_LONG && c.rope.n_divisors == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_head_and_norms_in_a_later_part_are_the_models),
        T(a_first_part_may_have_no_tensor),
        T(parts_of_two_alignments_are_refused),
        T(tables_of_longrope_need_no_type),
    };
    return RUN_TESTS(tests);
}
