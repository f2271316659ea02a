// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "box/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *sc_box_kind_name(sc_box_kind kind)
{
    static const char *const name[] = {
        [SC_BOX_PASSED] = "passed",
        [SC_BOX_FAILED] = "failed",
        [SC_BOX_ERROR] = "error",
        [SC_BOX_SYNTAX] = "syntax_error",
        [SC_BOX_TIMEOUT] = "timeout",
        [SC_BOX_OOM] = "oom",
        [SC_BOX_OUTPUT_LIMIT] = "output_limit",
        [SC_BOX_KILLED] = "killed",
        [SC_BOX_NOT_MEASURED] = "not_measured",
    };
    return name[kind];
}

static const char *const level_name[] = {
    [SC_BOX_NONE] = "none",
    [SC_BOX_REDUCED_SELF] = "reduced-self",
    [SC_BOX_REDUCED_UID] = "reduced-uid",
    [SC_BOX_FULL] = "full",
};

const char *sc_box_level_name(sc_box_level level)
{
    return level_name[level];
}

bool sc_box_level_find(sc_str name, sc_box_level *out)
{
    for (size_t i = 0; i < SC_LEN(level_name); i++)
        if (sc_str_is(name, level_name[i])) {
            *out = (sc_box_level)i;
            return true;
        }
    return false;
}

void sc_verdict_drop(sc_verdict *v)
{
    sc_free(v->output);
    *v = (sc_verdict){0};
}

static void say(sc_verdict *v, const char *text)
{
    (void)snprintf(v->message, sizeof v->message, "%s", text); // short
}

/* The sample's process ended by itself, before the checker had seen the end of the tests. */
static void judge_gone(const sc_runner *w, sc_verdict *v)
{
    v->kind = SC_BOX_ERROR;
    v->error_type[0] = '\0';
    v->line = 0;
    const int status = w->status;
    const sc_case_list *cases = &w->task->job.cases;
    if (cases->n && !cases->calls && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        // A program's own end, by os._exit: what it printed counts.
        v->kind = w->flags & SC_FLAG_PRINTED ? SC_BOX_PASSED : SC_BOX_FAILED;
        return;
    }
    if (WIFEXITED(status)) {
        (void)snprintf(v->message, sizeof v->message, "ended early with exit status %d",
                       WEXITSTATUS(status)); // short
        return;
    }
    const int sig = WTERMSIG(status);
    if (sig == SIGSYS)
        v->kind = SC_BOX_KILLED;
    else if (sig == SIGXCPU || (sig == SIGKILL && v->cpu_s >= w->task->job.limits.cpu_s))
        v->kind = SC_BOX_TIMEOUT;
    (void)snprintf(v->message, sizeof v->message, "ended early by signal %d (%s)", sig,
                   strsignal(sig)); // short
}

/* What the checker said. */
static void judge_outcome(const sc_runner *w, sc_verdict *v, bool *fault)
{
    v->line = w->line;
    (void)snprintf(v->error_type, sizeof v->error_type, "%s", w->error_type); // same size
    (void)snprintf(v->message, sizeof v->message, "%s", w->message);          // same size
    switch ((sc_wire_outcome)w->outcome) {
    case SC_OUT_PASSED:
        v->kind = SC_BOX_PASSED;
        return;
    case SC_OUT_FAILED:
        v->kind = SC_BOX_FAILED;
        return;
    case SC_OUT_BAD_TEST: // not the program's failure, and no other when it is repeated
        v->kind = SC_BOX_NOT_MEASURED;
        return;
    case SC_OUT_ERROR:
    case SC_OUT_PROTOCOL:
    case SC_OUT_TOO_BIG:
        v->kind = SC_BOX_ERROR;
        return;
    case SC_OUT_SYNTAX:
        v->kind = SC_BOX_SYNTAX;
        return;
    case SC_OUT_OOM:
        v->kind = SC_BOX_OOM;
        return;
    case SC_OUT_GONE:
        if (WIFSIGNALED(w->status) && !(w->flags & SC_FLAG_BEGUN))
            break; // it was killed while it waited for the program
        judge_gone(w, v);
        return;
    case SC_OUT_PRINTED:
        v->kind = SC_BOX_OUTPUT_LIMIT;
        return;
    case SC_OUT_UNSPLIT: // the caller runs it again in the single mode
    case SC_OUT_JAIL:
        break;
    }
    v->kind = SC_BOX_NOT_MEASURED;
    *fault = true;
}

static void judge(const sc_runner *w, sc_verdict *v, bool *fault)
{
    switch (w->stop) {
    case SC_STOP_CPU:
        v->kind = SC_BOX_TIMEOUT;
        say(v, "CPU time");
        return;
    case SC_STOP_WALL:
    case SC_STOP_CHECKER:
        v->kind = SC_BOX_TIMEOUT;
        v->wall = true;
        say(v, w->stop == SC_STOP_WALL ? "wall time" : "its results take too long to look at");
        return;
    case SC_STOP_MEMORY:
        v->kind = SC_BOX_OOM;
        say(v, "memory of all its processes");
        return;
    case SC_STOP_OUTPUT:
        v->kind = SC_BOX_OUTPUT_LIMIT;
        say(v, "it printed too much");
        return;
    case SC_STOP_NONE:
        break;
    }
    judge_outcome(w, v, fault);
    // A program that was through before the next look may still have used too much.
    if (v->kind == SC_BOX_PASSED && v->cpu_s > w->task->job.limits.cpu_s) {
        v->kind = SC_BOX_TIMEOUT;
        say(v, "CPU time");
    }
}

static sc_code take_output(const sc_runner *w, sc_verdict *v, sc_err *err)
{
    v->printed = w->printed.printed;
    SC_AUTO(sc_buf) text = sc_buf_init(4 * SC_OUTPUT_HALF);
    sc_output_text(&w->printed, &text);
    v->n_output = text.n;
    v->output = sc_buf_take(&text);
    return v->output ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_runner_count(sc_runner *w, size_t n, sc_err *err)
{
    pid_t zygote = 0;
    if (w->o.level != SC_BOX_FULL || w->o.tools)
        return SC_OK;
    if (w->children < 0 && sc_tree_children(w->parent, &zygote, 1) == 1)
        w->children = sc_tree_open_children(zygote);
    if (w->children < 0)
        return SC_OK; // this kernel does not list children
    const size_t now = sc_tree_count_children(w->children);
    if (now > n)
        return sc_fail(err, SC_E_SANDBOX, "%zu processes are left after a sample", now - n);
    return SC_OK;
}

/* What the kernel counted for the sample's control group goes before what we saw. */
static sc_code judge_group(const sc_runner *w, sc_verdict *v, sc_err *err)
{
    if (!w->group.path)
        return SC_OK;
    sc_cgroup_state now = {0};
    SC_TRY(sc_cgroup_look(&w->group, &now, err));
    if (now.populated)
        return sc_fail(err, SC_E_SANDBOX, "%s: processes are left after a sample", w->group.path);
    if (now.cpu_us <= w->group_before.cpu_us)
        return sc_fail(err, SC_E_SANDBOX, "%s: the sample never was in it", w->group.path);
    const double cpu_s = (double)(now.cpu_us - w->group_before.cpu_us) * 1e-6;
    v->cpu_s = cpu_s > v->cpu_s ? cpu_s : v->cpu_s;
    if (now.oom_kills > w->group_before.oom_kills && v->kind != SC_BOX_PASSED) {
        v->kind = SC_BOX_OOM;
        v->line = 0;
        v->error_type[0] = '\0';
        say(v, "memory of its control group");
    }
    return SC_OK;
}

/* What the job's former cases took, and which one this was. */
static void add_cases(const sc_box_task *t, sc_verdict *v)
{
    if (!t->job.cases.n)
        return;
    const sc_verdict *sum = &t->sum;
    v->cpu_s += sum->cpu_s;
    v->wall_s += sum->wall_s;
    v->start_s = t->at_case ? sum->start_s : v->start_s;
    v->peak_kib = v->peak_kib > sum->peak_kib ? v->peak_kib : sum->peak_kib;
    v->n_calls += sum->n_calls;
    v->handle_eq |= sum->handle_eq;
    v->n_cases = t->at_case + 1;
    if (v->kind == SC_BOX_PASSED || v->kind == SC_BOX_NOT_MEASURED)
        return;
    char text[sizeof v->message];
    (void)snprintf(text, sizeof text, "case %zu of %zu%s%.1900s", v->n_cases, t->job.cases.n,
                   v->message[0] ? ": " : "", v->message);     // fits
    (void)snprintf(v->message, sizeof v->message, "%s", text); // same size
}

static void release(sc_runner *w)
{
    int *const fd[] = {&w->pidfd, &w->output, &w->tool_fd};
    for (size_t i = 0; i < SC_LEN(fd); i++) {
        if (*fd[i] >= 0)
            (void)close(*fd[i]); // a pidfd, a pipe, a socket: nothing to lose
        *fd[i] = -1;
    }
    w->task = NULL;
    w->state = w->checker_pidfd >= 0 || w->o.tools ? SC_WORKER_IDLE : SC_WORKER_STARTING;
    w->started_ns = sc_now_ns();
}

sc_code sc_runner_verdict(sc_runner *w, sc_verdict *out, bool *fault, sc_err *err)
{
    sc_verdict v = {.level = w->o.level,
                    .single = w->task->job.single,
                    .tag = w->task->job.tag,
                    .n_calls = w->n_calls,
                    .attempts = w->task->attempts + 1,
                    .handle_eq = (w->flags & SC_FLAG_HANDLE_EQ) != 0};
    const double polled = (double)w->tree.cpu_ns * 1e-9, booked = (double)w->cpu_us * 1e-6;
    v.cpu_s = polled > booked ? polled : booked;
    v.wall_s = (double)(w->end_ns - w->run_ns) * 1e-9;
    v.start_s = w->first_ns ? (double)(w->first_ns - w->run_ns) * 1e-9 : 0;
    v.peak_kib = w->tree.peak_kib > w->peak_kib ? w->tree.peak_kib : w->peak_kib;
    *fault = false;
    judge(w, &v, fault);
    SC_TRY(judge_group(w, &v, err));
    *fault &= v.kind == SC_BOX_NOT_MEASURED; // the kernel ended it for its memory: not ours
    add_cases(w->task, &v);
    // The checker is left, and the spare, if it is there already; if not, it is counted when it
    // comes.
    SC_TRY(sc_runner_count(w, w->spare.serial ? 2 : 1, err));
    SC_TRY(take_output(w, &v, err));
    release(w);
    *out = v;
    return SC_OK;
}
