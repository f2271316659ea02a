/**
 * filter.h - the system-call filters, made once by libseccomp and kept as programs.
 *
 * The box filter is an allow list that answers EPERM (ENOSYS where the C library has another way);
 * it is loaded once in the zygote and inherited. The sample filter takes away what only the zygote
 * needs; compiling it for every sample would cost more than the sample (0.5 ms), so it is kept
 * compiled.
 *
 * Threads: one thread at a time.
 * Source:  seccomp(2), seccomp_export_bpf(3).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_FILTER_H
#define SC_GUEST_FILTER_H

#include "base/err.h"

#include <linux/filter.h>
#include <stdbool.h>

typedef struct sc_filter {
    struct sock_fprog program; // owned
} sc_filter;

typedef enum sc_filter_kind {
    SC_FILTER_BOX,     // what zygote, checker and samples may call
    SC_FILTER_SAMPLE,  // on top, for a sample
    SC_FILTER_NO_FORK, // on top, for a process that may not start another one
} sc_filter_kind;

/** Errors: SC_E_SANDBOX, SC_E_NOMEM */
sc_code sc_filter_make(sc_filter_kind kind, sc_filter *out, sc_err *err) SC_CHECKED;

/** Loads it for ever. Needs: no_new_privs. Errors: SC_E_SANDBOX */
sc_code sc_filter_load(const sc_filter *f, sc_err *err) SC_CHECKED;

#endif
