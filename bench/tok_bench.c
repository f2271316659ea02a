/*
 * Times a tokenizer in processor time: opening it, encoding and decoding a text, best of several.
 * The text is encoded whole and in pieces of 4 KiB, as prompts are. Every figure is for one thread.
 * usage: tok_bench TEXT TOKENIZER...
 */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/json.h"
#include "tok/tok.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, PROMPT = 4096 };

/* This thread's processor time: on a busy machine the wall clock says little. */
static double now_s(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        exit(1);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(sc_code code, const sc_err *err)
{
    if (code == SC_OK)
        return;
    (void)fprintf(stderr, "tok_bench: %s\n", err->msg);
    exit(1);
}

/* The end of the prompt that begins at `at`, not inside a character. */
static size_t prompt_end(sc_str text, size_t at)
{
    size_t end = at + PROMPT < text.n ? at + PROMPT : text.n;
    while (end < text.n && ((unsigned char)text.p[end] & 0xC0) == 0x80)
        end++;
    return end;
}

/* Seconds to encode `text`, whole or in prompts; *n_ids counts the ids. */
static double time_encode(const sc_tok *t, sc_str text, bool whole, size_t *n_ids)
{
    sc_err err = {0};
    double best = 1e9;
    for (unsigned i = 0; i < ROUNDS; i++) {
        SC_AUTO(sc_ids) ids = {0};
        const double from = now_s();
        *n_ids = 0;
        for (size_t at = 0; at < text.n;) {
            const size_t end = whole ? text.n : prompt_end(text, at);
            ids.n = 0;
            check(sc_tok_encode(t, (sc_str){text.p + at, end - at}, 0, &ids, &err), &err);
            *n_ids += ids.n;
            at = end;
        }
        const double now = now_s() - from;
        best = now < best ? now : best;
    }
    return best;
}

static double time_decode(const sc_tok *t, sc_str text)
{
    sc_err err = {0};
    double best = 1e9;
    SC_AUTO(sc_ids) ids = {0};
    check(sc_tok_encode(t, text, 0, &ids, &err), &err);
    for (unsigned i = 0; i < ROUNDS; i++) {
        SC_AUTO(sc_buf) out = sc_buf_init(text.n * 4 + 64);
        const double from = now_s();
        check(sc_tok_decode(t, ids.p, ids.n, false, &out, &err), &err);
        const double now = now_s() - from;
        best = now < best ? now : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: tok_bench TEXT TOKENIZER...\n");
        return 2;
    }
    sc_json_setup();
    sc_err err = {0};
    SC_AUTO(sc_buf) file = sc_buf_init((size_t)1 << 30);
    check(sc_file_read(argv[1], (size_t)1 << 30, &file, &err), &err);
    const sc_str text = sc_buf_str(&file);
    const double mb = (double)text.n * 1e-6;
    printf(
        "| tokenizer | tokens | open ms | bytes/id | encode MB/s | in 4 KiB prompts MB/s | decode "
        "MB/s |\n|---|---|---|---|---|---|---|\n");
    for (int i = 2; i < argc; i++) {
        SC_AUTO(sc_tok) *t = NULL;
        double open = 1e9;
        for (unsigned k = 0; k < ROUNDS; k++) {
            sc_tok_close(sc_take(t));
            const double from = now_s();
            check(sc_tok_open(argv[i], &t, &err), &err);
            const double now = now_s() - from;
            open = now < open ? now : open;
        }
        size_t n = 0;
        const double whole = time_encode(t, text, true, &n);
        size_t n_prompts = 0;
        const double prompts = time_encode(t, text, false, &n_prompts);
        printf("| %s | %u | %.1f | %.2f | %.1f | %.1f | %.1f |\n", sc_path_base(argv[i]),
               sc_tok_size(t), open * 1e3, (double)text.n / (double)n, mb / whole, mb / prompts,
               mb / time_decode(t, text));
    }
    return 0;
}
