// SPDX-License-Identifier: MIT
#include "score/program.h"

bool sc_program_has_tests(const sc_task *t)
{
    return t->test.n > 0;
}

sc_code sc_program_job(const sc_task *t, sc_str completion, bool whole, sc_buf *source, sc_job *out,
                       sc_err *err)
{
    sc_buf_clear(source);
    sc_buf_add_str(source, t->setup);
    if (!t->whole && !whole)
        sc_buf_add_str(source, t->prompt);
    sc_buf_add_str(source, completion);
    if (!sc_buf_ok(source))
        return sc_fail_nomem(err);
    // What the tests call besides the entry point is ours where the task says so.
    *out = (sc_job){.source = sc_buf_str(source),
                    .test = t->test,
                    .entry = t->entry_point,
                    .context = t->helpers ? t->prompt
                               : t->whole ? t->setup
                                          : (sc_str){"", 0}};
    return SC_OK;
}
