// SPDX-License-Identifier: MIT
#include "task/protocol.h"

const sc_protocol sc_protocol_seed = {
    .name = "seed@1",
    .about = "the prompt as it is; sampled with temperature, then top-k, then top-p; ended by the "
             "model's end token or the token limit",
    .temperature = 0.7,
    .top_p = 0.9,
    .top_k = 50,
    .max_tokens = 150,
};
