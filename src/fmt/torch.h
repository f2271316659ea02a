/**
 * torch.h - reads the tensors of a PyTorch checkpoint (.pt, .pth, pytorch_model.bin).
 *
 * Both forms of torch.save are read: the zip archive, and the older stream of pickles. The pickle
 * is data here: nothing in it is ever executed. Tensors are recognised by the names of the few
 * functions that rebuild them; anything else becomes an opaque value, which is an error only where
 * a tensor of the model depends on it. A file that names a function which could run code is
 * refused.
 *
 * The model is the value of `model_state_dict` (or `state_dict`) of the file's dict, or else the
 * dict itself. An optimizer's state is stepped over: its storages are never looked at.
 *
 * Threads: immutable after parsing; any number of threads may read.
 * Source:  pytorch/pytorch torch/serialization.py, torch/_weights_only_unpickler.py.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FMT_TORCH_H
#define SC_FMT_TORCH_H

#include "base/json.h"
#include "fmt/tensor.h"

typedef struct sc_torch sc_torch;

/**
 * Parses the `size` bytes of a file, which the caller keeps until sc_torch_free.
 *
 * Owns:   the caller frees *out with sc_torch_free
 * Errors: SC_E_FORMAT      truncated, corrupt or hostile (err->at is the byte)
 *         SC_E_UNSUPPORTED TorchScript, tar archives, compressed or big-endian files, types of
 *                          tensors that this program does not compute with
 *         SC_E_LIMIT       a pickle beyond the sizes that a checkpoint has
 *         SC_E_NOMEM
 */
sc_code sc_torch_parse(const void *bytes, size_t size, sc_torch **out, sc_err *err) SC_CHECKED;

void sc_torch_free(sc_torch *t);

/** The model's tensors in the order of its dict; *n is their count. Borrowed until freed. */
const sc_tensor *sc_torch_tensors(const sc_torch *t, size_t *n);

/** The dict `config` beside the weights as a JSON object, or NULL. Borrowed until freed. */
const json_t *sc_torch_config(const sc_torch *t);

/**
 * The other plain values of the file's dict (epoch, step, losses, ...) as a JSON object, without
 * the weights, the config and the optimizer's state; NULL for a bare state dict. Borrowed.
 */
const json_t *sc_torch_extra(const sc_torch *t);

/** Whether the bytes begin as a file of torch.save does, in any of its forms. */
bool sc_torch_is(const void *bytes, size_t size);

SC_AUTO_DEFINE(sc_torch, sc_torch_free);

#endif
