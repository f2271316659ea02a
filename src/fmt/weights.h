/**
 * weights.h - a model's tensors by name, whatever files they come in.
 *
 * Opens a SmallCoder or PyTorch checkpoint, a safetensors or GGUF file, or a folder of one model as
 * the Hugging Face hub lays it out. The format is found in the content, not in the file's name. The
 * files are mapped; opening reads their directories, never tensor data.
 *
 * Threads: sc_weights_data and sc_weights_forget one thread at a time; the rest is immutable after
 *          opening.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_WEIGHTS_H
#define SC_FMT_WEIGHTS_H

#include "base/json.h"
#include "fmt/gguf.h"
#include "fmt/tensor.h"

typedef struct sc_weights sc_weights;

typedef enum sc_weights_kind {
    SC_WEIGHTS_TORCH,
    SC_WEIGHTS_SAFETENSORS,
    SC_WEIGHTS_GGUF,
} sc_weights_kind;

/** One of the files behind a model. */
typedef struct sc_weights_file {
    const char *path; // borrowed until sc_weights_close
    uint64_t size;    // bytes
} sc_weights_file;

/**
 * Opens the model at `path`: a file, an index file (*.index.json), or a folder.
 *
 * In a folder these are looked for, in this order: model.safetensors, its index, pytorch_model.bin,
 * its index, then the only GGUF model, the only .pt or .pth file, the only .safetensors file.
 *
 * Owns:   the caller closes *out with sc_weights_close
 * Errors: SC_E_IO, SC_E_NOTFOUND (no model in the folder, or more than one), SC_E_FORMAT,
 *         SC_E_UNSUPPORTED, SC_E_LIMIT, SC_E_NOMEM; the message begins with the file's path
 */
sc_code sc_weights_open(const char *path, sc_weights **out, sc_err *err) SC_CHECKED;

void sc_weights_close(sc_weights *w);

sc_weights_kind sc_weights_kind_of(const sc_weights *w);

/** The tensors, file by file; *n is their count. Borrowed until sc_weights_close. */
const sc_tensor *sc_weights_tensors(const sc_weights *w, size_t *n);

/** The tensor called `name`, or NULL. Borrowed until sc_weights_close. */
const sc_tensor *sc_weights_find(const sc_weights *w, sc_str name);

/**
 * The dense bytes of `t`, t->size of them, aligned for one element (quantised: 2 bytes).
 *
 * They lie in the mapping when the file's layout allows it; else they are gathered once and kept.
 *
 * Needs:  t is one of w's tensors
 * Owns:   borrowed until sc_weights_close or sc_weights_forget(t)
 * Errors: SC_E_NOMEM; SC_E_LIMIT when views make the model far larger than its files
 */
sc_code sc_weights_data(sc_weights *w, const sc_tensor *t, const void **out,
                        sc_err *err) SC_CHECKED;

/** Whether one of the mapped files holds all from `first` to `last`. */
bool sc_weights_in_file(const sc_weights *w, const void *first, const void *last);

/** `t` will not be read again soon: drops a gathered copy, lets the mapping's pages go. */
void sc_weights_forget(sc_weights *w, const sc_tensor *t);

/** Bytes of tensors that sc_weights_data had to gather and still holds. */
uint64_t sc_weights_gathered(const sc_weights *w);

/**
 * The model's configuration as a JSON object, or NULL: the `config` of a checkpoint, otherwise the
 * config.json beside the weights. Borrowed until sc_weights_close.
 */
const json_t *sc_weights_config(const sc_weights *w);

/**
 * The generation_config.json beside the weights, or NULL. Borrowed until sc_weights_close. A GGUF
 * file says these things itself, a checkpoint with a config of its own has none.
 */
const json_t *sc_weights_generation(const sc_weights *w);

/** The GGUF metadata, or NULL for other kinds. Borrowed until sc_weights_close. */
const sc_gguf *sc_weights_gguf(const sc_weights *w);

/** The files behind the model (not config.json); *n is their count. Borrowed until close. */
const sc_weights_file *sc_weights_files(const sc_weights *w, size_t *n);

SC_AUTO_DEFINE(sc_weights, sc_weights_close);

#endif
