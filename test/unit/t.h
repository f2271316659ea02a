/**
 * t.h - what every unit test includes: cmocka and the checks of the house.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_T_H
#define SC_TEST_T_H

#include "base/err.h"
#include "base/mem.h"

// cmocka wants these four before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond) assert_true(cond)

/** `call` gives `want`; otherwise the error's text is printed. */
#define CHECK_CODE(want, call, err)                                                                \
    do {                                                                                           \
        const sc_code got_ = (call);                                                               \
        if (got_ != (want))                                                                        \
            print_error("%s:%d: %s: %s\n", __FILE__, __LINE__, sc_code_name(got_),                 \
                        got_ == SC_OK ? "no error" : (err)->msg);                                  \
        assert_int_equal(got_, (want));                                                            \
    } while (0)

#define CHECK_OK(call, err) CHECK_CODE(SC_OK, call, err)

/** Skips this test; `must` is the name that SC_MUST may list to forbid the skip. */
#define SKIP(must, why)                                                                            \
    do {                                                                                           \
        printf("# skip %s: %s\n", must, why);                                                      \
        skip();                                                                                    \
    } while (0)

/** A test function under cmocka's signature. */
#define TEST(name) static void name(void **state)
#define T(name)    cmocka_unit_test(name)

/** Runs the tests of an array; the value for main to return. */
#define RUN_TESTS(tests) cmocka_run_group_tests((tests), NULL, NULL)

enum { SCRATCH = 64 }; // bytes of a scratch path

/** Writes a template for mkdtemp or mkstemp into `out`: below $TMPDIR, or the system's folder. */
static inline char *scratch_path(char out[SCRATCH])
{
    const char *temp = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    (void)snprintf(out, SCRATCH, "%s/sc-test-XXXXXX",
                   temp && strlen(temp) <= 40 ? temp : P_tmpdir); // then it fits
    return out;
}

/** `state` is not used by most tests. */
#define UNUSED (void)state

#endif
