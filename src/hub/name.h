/**
 * name.h - what a user writes for a model of the Hugging Face hub: org/name[@revision][:pattern].
 *
 * The pattern picks one file of a repository that holds several, as ":Q4_K_M" for GGUF. Everything
 * that later becomes part of a path or an address is checked here.
 *
 * Threads: immutable (pure functions).
 * Source:  validate_repo_id and REGEX_COMMIT_HASH of huggingface_hub; git-check-ref-format(1).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_NAME_H
#define SC_HUB_NAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

typedef struct sc_hub_name {
    sc_str repo;     // "org/name", or "name" for the oldest repositories
    sc_str revision; // branch, tag or commit; "main" when none was given
    sc_str pattern;  // empty: none
} sc_hub_name;

/**
 * Takes `arg` apart. The parts are borrowed from it.
 *
 * Errors: SC_E_USAGE with the reason: not a repository name, or a revision that git would not take
 */
sc_code sc_hub_name_parse(sc_str arg, sc_hub_name *out, sc_err *err) SC_CHECKED;

/** The repository behind one of the short names codellama-7b, codegen-350m, starcoder-1b, or NULL.
 */
const char *sc_hub_name_of_short(sc_str name);

/** Whether `name` is a full commit: 40 hexadecimal digits. */
bool sc_hub_is_commit(sc_str name);

/**
 * Whether `path` may be joined to a folder: relative, no empty, "." or ".." part, no backslash, no
 * control character, at most 1024 bytes, parts of at most 255.
 */
bool sc_hub_path_is_safe(sc_str path);

/** Appends the cache's folder name of a repository: "models--org--name". */
void sc_hub_name_folder(sc_str repo, sc_buf *out);

#endif
