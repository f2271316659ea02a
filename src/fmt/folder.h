/**
 * folder.h - which files a model at a path consists of.
 *
 * Threads: immutable after opening.
 * Source:  huggingface_hub constants (file names), the split naming of llama.cpp.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_FOLDER_H
#define SC_FMT_FOLDER_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sc_folder_plan sc_folder_plan;

/** Where an index file says that a tensor lies. */
typedef struct sc_folder_place {
    sc_str name;   // borrowed from the plan
    uint32_t file; // index of the file
} sc_folder_place;

/**
 * Finds the files of the model at `path`: a file, an index (*.index.json), or a folder.
 *
 * Owns:   the caller closes *out with sc_folder_plan_close
 * Errors: SC_E_IO, SC_E_NOTFOUND no model, or several; SC_E_FORMAT an index that is ill-formed or
 *         names files outside its folder; SC_E_LIMIT; SC_E_NOMEM
 */
sc_code sc_folder_plan_open(const char *path, sc_folder_plan **out, sc_err *err) SC_CHECKED;

void sc_folder_plan_close(sc_folder_plan *p);

/** How many files: 1 or more. */
size_t sc_folder_n_files(const sc_folder_plan *p);

/** The path of file `i`. Borrowed until the plan is closed. Needs: i < sc_folder_n_files(p) */
const char *sc_folder_file(const sc_folder_plan *p, size_t i);

/** What the index says, *n tensors; none without an index. Borrowed until the plan is closed. */
const sc_folder_place *sc_folder_places(const sc_folder_plan *p, size_t *n);

SC_AUTO_DEFINE(sc_folder_plan, sc_folder_plan_close);

#endif
