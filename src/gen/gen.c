// SPDX-License-Identifier: MIT
#include "gen/gen.h"

#include "base/mem.h"

const char *sc_finish_name(sc_finish f)
{
    switch (f) {
    case SC_FINISH_STOP_ID:
        return "stop_id";
    case SC_FINISH_STOP_TEXT:
        return "stop_text";
    case SC_FINISH_LENGTH:
        return "length";
    case SC_FINISH_CONTEXT:
        return "context";
    case SC_FINISH_INTERRUPTED:
        return "interrupted";
    case SC_FINISH_ERROR:
        return "error";
    }
    return "unknown";
}

sc_code sc_gen_run(sc_gen *g, const sc_gen_request *r, size_t n, const sc_gen_sink *sink,
                   const atomic_bool *stop, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].n_prompt == 0)
            return sc_fail(err, SC_E_USAGE, "%s: the prompt has no token", r[i].name);
        if (r[i].n_samples == 0 || r[i].max_tokens == 0)
            return sc_fail(err, SC_E_USAGE, "%s: no sample or no token was asked for", r[i].name);
        SC_TRY_IN(sc_sample_check(&r[i].params, err), err, "%s", r[i].name);
    }
    return g->ops->run(g->self, r, n, sink, stop, err);
}

void sc_gen_close(sc_gen *g)
{
    if (!g)
        return;
    g->ops->close(g->self);
    sc_free(g);
}
