// SPDX-License-Identifier: MIT
#include "fmt/torch.h"

#include <string.h>

sc_code sc_torch_parse(const void *bytes, size_t size, sc_torch **out, sc_err *err)
{
    (void)bytes;
    (void)size;
    (void)out;
    return sc_fail(err, SC_E_UNSUPPORTED, "PyTorch checkpoints are not read yet");
}

void sc_torch_free(sc_torch *t)
{
    (void)t;
}

const sc_tensor *sc_torch_tensors(const sc_torch *t, size_t *n)
{
    (void)t;
    *n = 0;
    return NULL;
}

const json_t *sc_torch_config(const sc_torch *t)
{
    (void)t;
    return NULL;
}

bool sc_torch_is(const void *bytes, size_t size)
{
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}
