/**
 * torch_json.h - plain values of a pickle as JSON: numbers, strings, lists, dicts.
 *
 * A name ("torch.float16") becomes a string, an object its state when that is a dict; whatever has
 * no plain form is left out.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_TORCH_JSON_H
#define SC_FMT_TORCH_JSON_H

#include "base/json.h"
#include "fmt/pickle.h"

/**
 * The value `v`; *out is NULL when it has no plain form.
 *
 * Owns:   the caller drops *out.
 * Errors: SC_E_LIMIT when it is nested deeper than 32 levels or has more than 100,000 parts (a
 * container may hold itself); SC_E_NOMEM
 */
sc_code sc_torch_json(const sc_pickle *p, sc_pkl v, json_t **out, sc_err *err) SC_CHECKED;

#endif
