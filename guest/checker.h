/**
 * checker.h - the process that holds the tests and never sees the sample's code.
 *
 * It takes one check after another from the supervisor, runs the tests in its own interpreter with
 * stand-ins for the sample's functions, and says how they ended. Only values that came through the
 * codec reach the tests.
 *
 * Threads: one thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_CHECKER_H
#define SC_GUEST_CHECKER_H

#include "guest/py.h"

/** Serves the control socket `control` until it ends. Does not return. */
_Noreturn void sc_checker_run(const sc_py *py, int control);

#endif
