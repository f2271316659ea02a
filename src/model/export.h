/**
 * export.h - a model as a GGUF file, as llama.cpp's own converter would write it.
 *
 * Any model that this program reads: names, values, the order of the rows of q and k, fused
 * matrices, norms and the tables of RoPE become what llama.cpp expects. What llama.cpp would
 * compute differently, without saying so, is refused, or the context is cut to where it makes no
 * difference.
 *
 * Threads: one thread at a time; rows are rounded on a team of threads.
 * Source:  llama.cpp, convert_hf_to_gguf.py and src/llama-model.cpp; types as llama-quantize
 *          chooses them.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_EXPORT_H
#define SC_MODEL_EXPORT_H

#include "base/err.h"
#include "kern/dtype.h"
#include "model/export_vocab.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sc_export_opts {
    sc_dtype type;         // of the matrices
    const char *tokenizer; // NULL: the one beside the model
    bool no_vocab;         // write none; the file then works with token ids only
    const char *name;      // general.name; NULL: none
    bool force;            // replaces a file that is there
    unsigned threads;      // 0: all
} sc_export_opts;

/** What was written. */
typedef struct sc_export_report {
    const char *arch; // general.architecture
    size_t n_tensors;
    size_t n_other;    // matrices whose rows are not whole blocks of the type: a near one was taken
    uint64_t bytes;    // of the tensors
    uint32_t ctx;      // context_length
    uint32_t full_ctx; // of the model: larger when a window or a stretch had to be left out
    bool gelu;         // llama.cpp takes the tanh form of GELU for the model's exact one
    sc_export_vocab_report vocab;
} sc_export_report;

/** Whether sc_export_gguf can write matrices of type `t`. */
bool sc_export_has(sc_dtype t);

/**
 * Reads the model at `in` and writes `out`, whole or not at all.
 *
 * Errors: those of sc_weights_open and sc_net_config; SC_E_UNSUPPORTED what llama.cpp does not do
 *         (the message says what); SC_E_FORMAT a tensor of another shape, or a value that is no
 *         number; SC_E_NOTFOUND no tokenizer; SC_E_USAGE `out` exists; SC_E_IO
 */
sc_code sc_export_gguf(const char *in, const char *out, const sc_export_opts *opts,
                       sc_export_report *report, sc_err *err) SC_CHECKED;

#endif
