// SPDX-License-Identifier: MIT
#include "fmt/torch.h"
#include "tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_torch) *x = NULL;
    if (sc_torch_parse(bytes, size, &x, &err) != SC_OK) {
        fuzz_check_error(&err, size);
        return 0;
    }
    size_t n = 0;
    const sc_tensor *t = sc_torch_tensors(x, &n);
    fuzz_read_tensors(bytes, t, n);
    return 0;
}
