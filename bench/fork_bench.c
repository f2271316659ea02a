/* How long a trivial program takes in an unsandboxed fork of the sandbox's own warm interpreter:
 * fork, compile and run program and test, wait. What a box adds is box_bench's figure over this
 * one. usage: fork_bench [N], or fork_bench serve: for each line "N PAUSE_US" of standard input N
 * times in ms, a line each, with a pause before each fork (box_bench asks in turns with a box). */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "guest/huge.h"
#include "guest/py.h"
#include "guest/wrap.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char program[] = "def f(x):\n    return x + 1\n";
static const char tests[] = "def check(candidate):\n    assert candidate(1) == 2\ncheck(f)\n";

static double times[1 << 16];

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); // cannot fail
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static _Noreturn void run(sc_py *py)
{
    PyOS_AfterFork_Child();
    *py->in_sample = true;
    PyObject *module = PyModule_New("solution"), *space = module ? PyModule_GetDict(module) : NULL;
    if (!space || PyDict_SetItemString(space, "__builtins__", PyEval_GetBuiltins()))
        _exit(1);
    const char *const text[] = {program, tests};
    for (size_t i = 0; i < SC_LEN(text); i++) {
        PyObject *code = sc_py_compile(sc_str_c(text[i]), "solution.py");
        PyObject *ran = code ? PyEval_EvalCode(code, space, space) : NULL;
        if (!ran)
            _exit(1);
    }
    _exit(0);
}

static double once(sc_py *py)
{
    const double start = now_ms();
    PyOS_BeforeFork();
    const pid_t pid = fork();
    if (pid == 0)
        run(py);
    PyOS_AfterFork_Parent();
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        printf("a fork failed\n");
        exit(1);
    }
    return now_ms() - start;
}

static void serve(sc_py *py)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        char *rest = NULL;
        const unsigned long n = strtoul(line, &rest, 10), pause_us = strtoul(rest, NULL, 10);
        for (unsigned long i = 0; i < n; i++) {
            if (pause_us)
                (void)usleep((useconds_t)pause_us); // a shorter pause is as good
            // Text only after all of it: the forks would carry it.
            times[i % SC_LEN(times)] = once(py);
        }
        for (unsigned long i = 0; i < n; i++)
            printf("%.6f\n", times[i % SC_LEN(times)]);
        (void)fflush(stdout); // the reader sees the end
    }
}

static void report(double *ms, size_t n)
{
    qsort(ms, n, sizeof *ms, compare);
    printf("bare fork    median %.3f ms, 10 %% %.3f, 90 %% %.3f\n", ms[n / 2], ms[n / 10],
           ms[n * 9 / 10]);
}

int main(int argc, char **argv)
{
    const bool served = argc > 1 && !strcmp(argv[1], "serve");
    const size_t n = argc > 1 && !served ? strtoul(argv[1], NULL, 10) : 1000;
    sc_err err = {0};
    static sc_py py;
    sc_huge_heap();
    sc_huge_program();
    (void)mallopt(M_ARENA_MAX, 1); // as the guest
    if (!n || n > SC_LEN(times) || sc_py_start(SC_PY_STDLIB, false, 0, &py, &err) != SC_OK ||
        sc_wrap_ready()) {
        printf("%s\n", err.msg);
        return 1;
    }
    if (served) {
        serve(&py);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        times[i] = once(&py);
    report(times, n);
    return 0;
}
