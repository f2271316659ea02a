/**
 * choose.h - which files of a repository a model needs, by their names alone.
 *
 * One rule for both sides: what to download from a listing, and whether a snapshot in the cache is
 * complete. Safetensors are preferred over .bin, those over one GGUF, that over one .pt; files in
 * folders (onnx/, original/) are other forms of the same model and only looked at for GGUF.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_CHOOSE_H
#define SC_HUB_CHOOSE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sc_hub_want {
    SC_HUB_MODEL,     // config, tokenizer, weights
    SC_HUB_TOKENIZER, // config and tokenizer alone
} sc_hub_want;

typedef struct sc_hub_file {
    sc_str path; // safe (sc_hub_path_is_safe); borrowed
    uint64_t size;
    bool take; // the answer of sc_hub_choose
} sc_hub_file;

/** What sc_hub_choose gives when the folder as a whole is the model. */
#define SC_HUB_FOLDER SIZE_MAX

/**
 * Marks in `take` the files that `want` needs. *single becomes the index of the file that is the
 * model (a GGUF or .pt, the first part of a split one), or SC_HUB_FOLDER.
 *
 * `pattern` (may be empty) picks among several GGUF files: a whole path, else a part between '-' or
 * '.' in any case ("q4_k_m"), else any piece of the name, else a shell pattern ("*Q4*").
 *
 * Errors: SC_E_NOTFOUND no weights or tokenizer here, a part of a split file missing, no match;
 *         SC_E_USAGE several GGUF models match, with their names. `take` is then not meaningful.
 */
sc_code sc_hub_choose(sc_hub_file *files, size_t n, sc_hub_want want, sc_str pattern,
                      size_t *single, sc_err *err) SC_CHECKED;

#endif
