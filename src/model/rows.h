/**
 * rows.h - matrices as lists of pointers to their rows, and packing them.
 *
 * Regrouping q, k and v, pairing gate with up and undoing a converter's permutation are all the
 * same thing: another order of pointers. What bind.c is made of.
 *
 * Threads: one thread at a time; packing runs on the pool.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_ROWS_H
#define SC_MODEL_ROWS_H

#include "model/finder.h"
#include "model/net.h"

typedef struct sc_binder {
    sc_net *net;             // borrowed
    const sc_config *c;      // borrowed from net
    sc_finder names;         // owned
    sc_pool *pool;           // borrowed
    bool upright;            // the matrix at hand is never stored [in, out]
    const sc_kern *kern;     // borrowed
    bool now;                // pack while loading
    const atomic_bool *stop; // borrowed, or NULL
} sc_binder;

/** A tensor as a matrix whose rows lie in memory. */
typedef struct sc_matrix {
    const sc_tensor *t;
    sc_dtype dtype;
    const uint8_t *data;
    size_t rows, cols, row_size;
    uint8_t *temp; // owned, when it had to be transposed
} sc_matrix;

/** Rows in the decoder's order, all of one type, and their bias. */
typedef struct sc_group {
    sc_dtype dtype;
    size_t n;
    const void **row; // owned, [n] up to whole panels; NULL is a row of zeros
    float *bias;      // owned, [n], or NULL
} sc_group;

void sc_matrix_drop(sc_matrix *m);
void sc_group_drop(sc_group *g);

/** Empty rows for the caller to point. Errors: SC_E_NOMEM; drop it all the same */
sc_code sc_group_init(sc_group *g, sc_dtype dtype, size_t n, bool bias, sc_err *err) SC_CHECKED;

/** A zeroed block of floats that lives as long as the net; NULL when memory is out. */
float *sc_bind_floats(sc_net *n, size_t count) SC_CHECKED;

/** SC_E_FORMAT with file, tensor and both shapes, or with the name that was looked for. */
sc_code sc_bind_wrong_shape(const sc_binder *b, const sc_tensor *t, const char *expected,
                            sc_err *err);
sc_code sc_bind_missing(const sc_binder *b, const char *name, sc_err *err);

/** Refuses types that the kernels do not multiply with. Errors: SC_E_UNSUPPORTED */
sc_code sc_bind_check_type(const sc_tensor *t, sc_err *err) SC_CHECKED;

/**
 * The tensor `base` + `suffix` as `n` floats; NULL when it is absent and `kind` allows that.
 *
 * Errors: SC_E_FORMAT, SC_E_UNSUPPORTED, SC_E_NOMEM
 */
sc_code sc_bind_vector(sc_binder *b, const char *base, uint32_t i, uint32_t j, const char *suffix,
                       sc_bias_kind kind, size_t n, float **out, sc_err *err) SC_CHECKED;

/**
 * The tensor `base`.weight as [rows, cols], transposed where the files store it [in, out].
 *
 * Owns:   the caller drops *out. Errors: as above
 */
sc_code sc_bind_matrix(sc_binder *b, const char *base, uint32_t i, uint32_t j, size_t rows,
                       size_t cols, sc_matrix *out, sc_err *err) SC_CHECKED;

/**
 * Packs groups of rows as one linear layer; neighbours of one type become one part.
 *
 * Owns: may take rows out of the groups
 */
sc_code sc_bind_linear(sc_binder *b, sc_group *g, size_t n, size_t cols, sc_linear *out,
                       sc_err *err) SC_CHECKED;

/** The file's bytes of `m` will not be read again. */
void sc_bind_forget(sc_binder *b, const sc_matrix *m);

SC_AUTO_DEFINE_VALUE(sc_matrix, sc_matrix_drop);
SC_AUTO_DEFINE_VALUE(sc_group, sc_group_drop);

#endif
