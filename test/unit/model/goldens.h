/**
 * goldens.h - the reference outputs of a model beside it, and how to compare with them.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_MODEL_GOLDENS_H
#define SC_TEST_MODEL_GOLDENS_H

#include "fmt/weights.h"
#include "model/model.h"
#include "t.h"

enum { GOLDEN_PATH = 1024 };

/** A model and the file that says what it gives. */
typedef struct golden_case {
    char model[GOLDEN_PATH];
    char expected[GOLDEN_PATH];
} golden_case;

typedef struct golden_list {
    golden_case *at; // owned
    size_t n, cap;
} golden_list;

/** Every case below the folder `dir` of the layout of the goldens; empty when it is not there. */
void golden_list_read(golden_list *l, const char *dir);
void golden_list_drop(golden_list *l);

/** A tensor of an expected file as floats or int64, and its size; NULL when absent. */
const float *golden_f32(sc_weights *w, const char *name, unsigned i, size_t *n);
const int64_t *golden_i64(sc_weights *w, const char *name, unsigned i, size_t *n);

/** Feeds `ids` to a new sequence in blocks of `block`, all logits wanted, into out [n, vocab]. */
sc_code golden_feed(sc_model *m, const int64_t *ids, size_t n, size_t block, float *out,
                    sc_err *err) SC_CHECKED;

/** The folder in SC_GOLDENS, NULL when it is not there. */
const char *golden_dir(void);

#endif
