// SPDX-License-Identifier: MIT
#include "box/worker.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

enum {
    START_MS = 30000,  // for the interpreter to be warm
    LOOK_MS = 20,      // between looks at a tree, at most
    LEAST_LOOK_MS = 2, // and at least: a look at several processes takes some of that
    KILL_MS = 5000,    // for the kernel to end what we killed
    CHECKER_MS = 2000, // for the checker to say that the sample is gone
    WAIT_FACTOR = 9,   // a sample that waits for a CPU gets ten times its wall limit at most
    OUTPUT_BLOCK = 65536,
    TOOL_MAX = 32 << 20,
};

uint64_t sc_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); // cannot fail
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sc_box_task_free(sc_box_task *t)
{
    if (!t)
        return;
    sc_free(t->texts);
    sc_free(t);
}

// ---- start

static sc_code spawn(sc_runner *w, int socket, sc_err *err)
{
    posix_spawn_file_actions_t files;
    if (posix_spawn_file_actions_init(&files))
        return sc_fail_nomem(err);
    // The copy keeps its number only if it differs: dup2 to itself would keep close-on-exec.
    const int high = fcntl(socket, F_DUPFD_CLOEXEC, SC_WIRE_FD + 7);
    int rc = high < 0 ? errno : posix_spawn_file_actions_adddup2(&files, high, SC_WIRE_FD);
    if (!rc)
        rc = posix_spawn_file_actions_addclosefrom_np(&files, SC_WIRE_FD + 1);
    // An empty environment from the first instruction on: what stands on the initial stack could be
    // read from memory later.
    char name[] = "scbench-guest";
    char *argv[] = {name, NULL}, *envp[] = {NULL};
    if (!rc)
        rc = posix_spawn(&w->parent, w->o.guest, &files, NULL, argv, envp);
    (void)posix_spawn_file_actions_destroy(&files); // cannot fail
    if (high >= 0)
        (void)close(high); // the child's copy lives
    if (rc) {
        w->parent = 0;
        return sc_fail_sys(err, rc == ENOENT ? SC_E_NOTFOUND : SC_E_IO, rc, "%s: %s", w->o.guest,
                           strerror(rc));
    }
    return SC_OK;
}

static void reset(sc_runner *w, const sc_worker_opts *o)
{
    memset(w, 0, sizeof *w);
    w->o = *o;
    w->control = w->checker = w->checker_pidfd = w->pidfd = w->output = w->tool_fd = -1;
    w->children = -1;
    w->group.dir = w->group.procs = -1;
    w->tool = sc_buf_init(TOOL_MAX);
    // Elsewhere a sample could reach one that waits, and a control group counts who is in it.
    w->ahead = o->level == SC_BOX_FULL && !o->cgroup && !o->tools;
}

/* The worker's processes take turns, a hand-over for every call of a test: on one CPU that is a
 * switch, between two it is a wake-up of an idle one. They inherit this. */
static void stay_on(pid_t pid, int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)sched_setaffinity(pid, sizeof set, &set); // only speed
}

sc_code sc_runner_start(sc_runner *w, const sc_worker_opts *o, sc_err *err)
{
    reset(w, o);
    if (o->cgroup && !o->tools)
        SC_TRY(sc_cgroup_make(o->cgroup, o->slot, &w->group, err));
    int pair[2];
    sc_code code = sc_wire_pair(SOCK_SEQPACKET, pair, err);
    if (code != SC_OK) {
        sc_cgroup_drop(&w->group);
        return code;
    }
    w->control = pair[0];
    code = spawn(w, pair[1], err);
    if (code == SC_OK && o->cpu >= 0)
        stay_on(w->parent, o->cpu); // before its first message: it has started nothing yet
    (void)close(pair[1]);           // the child has its own
    if (code == SC_OK) {
        const sc_wire_msg m = {.type = SC_WIRE_SETUP,
                               .level = o->level,
                               .mode = o->tools ? SC_MODE_TOOL : SC_MODE_SPLIT,
                               .slot = o->slot,
                               .uid = o->uid,
                               .limits.hash_seed = o->hash_seed};
        const sc_str texts[] = {sc_str_c(o->scratch ? o->scratch : ""),
                                sc_str_c(o->root ? o->root : "")};
        code = sc_wire_send(w->control, m, texts, SC_LEN(texts), &w->group.procs,
                            w->group.path ? 1 : 0, err);
    }
    if (code != SC_OK) {
        sc_runner_stop(w);
        return code;
    }
    w->state = SC_WORKER_STARTING;
    w->started_ns = sc_now_ns();
    return SC_OK;
}

static sc_code start_checker(sc_runner *w, sc_err *err)
{
    sc_wire_close(&w->checker);
    sc_wire_close(&w->checker_pidfd);
    int pair[2];
    SC_TRY(sc_wire_pair(SOCK_SEQPACKET, pair, err));
    w->checker = pair[0];
    const sc_wire_msg m = {.type = SC_WIRE_CHECKER, .limits.memory = 1ull << 30};
    const sc_code code = sc_wire_send(w->control, m, NULL, 0, &pair[1], 1, err);
    (void)close(pair[1]); // the checker has its own
    return code;
}

static void kill_pidfd(int pidfd)
{
    if (pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0); // gone already: as good
}

void sc_runner_stop(sc_runner *w)
{
    kill_pidfd(w->pidfd);
    kill_pidfd(w->checker_pidfd);
    // The zygote sees the end of its socket and ends, and the box with it.
    sc_wire_close(&w->control);
    sc_wire_close(&w->checker);
    sc_wire_close(&w->checker_pidfd);
    sc_wire_close(&w->pidfd);
    sc_wire_close(&w->output);
    sc_wire_close(&w->tool_fd);
    sc_wire_close(&w->children);
    if (w->spare.serial)
        sc_spare_drop(&w->spare);
    if (w->parent > 0) {
        int status = 0;
        for (unsigned i = 0; i < 200; i++) {
            const pid_t got = waitpid(w->parent, &status, WNOHANG);
            if (got == w->parent || (got < 0 && errno == ECHILD))
                break;
            if (i == 100) // a second: it does not listen
                (void)kill(w->parent, SIGKILL);
            (void)poll(NULL, 0, i < 20 ? 1 : 10); // only a pause
        }
    }
    w->parent = 0;
    sc_cgroup_drop(&w->group);
    sc_box_task_free(w->task);
    w->task = NULL;
    sc_buf_drop(&w->tool);
    w->state = SC_WORKER_DOWN;
}

// ---- run

static sc_wire_limits limits_of(const sc_runner *w, const sc_box_limits *l)
{
    return (sc_wire_limits){.memory = (uint64_t)l->memory_mib << 20,
                            .disk = (uint64_t)l->disk_mib << 20,
                            .output = (uint64_t)l->output_kib << 10,
                            .cpu_s = (uint64_t)l->cpu_s + 2,
                            .tasks = l->tasks,
                            .inodes = l->inodes,
                            .files = l->files,
                            .hash_seed = w->o.hash_seed};
}

static sc_wire_mode mode_of(const sc_job *j)
{
    if (j->cases.n)
        return j->cases.calls ? SC_MODE_SPLIT : SC_MODE_STDIO;
    if (!j->test.n)
        return SC_MODE_SCRIPT;
    return j->single ? SC_MODE_SINGLE : SC_MODE_SPLIT;
}

/* The descriptors of a program with a case, and the checker's end of what it prints; -1 else. */
typedef struct ends {
    int in, out, checker_out;
} ends;

/* What a program reads, and a pipe for what it prints. */
static sc_code open_case(const sc_box_task *t, ends *e, sc_err *err)
{
    SC_TRY(sc_wire_file(t->job.cases.at[t->at_case].in, &e->in, err));
    int out[2];
    if (pipe2(out, O_CLOEXEC)) {
        sc_wire_close(&e->in);
        return sc_fail_sys(err, SC_E_IO, errno, "pipe: %s", strerror(errno));
    }
    e->checker_out = out[0];
    e->out = out[1];
    return SC_OK;
}

/* Case and mode for the checker. More than the limit may be printed where more is expected. */
static sc_code hand_out_case(sc_runner *w, sc_wire_msg m, int link, const ends *e, sc_err *err)
{
    const sc_box_task *t = w->task;
    const sc_case *c = &t->job.cases.at[t->at_case];
    if (t->job.cases.calls)
        m.mode = SC_MODE_CALL;
    const uint64_t twice = 2 * (uint64_t)c->want.n;
    m.limits.output = twice > m.limits.output ? twice : m.limits.output;
    const sc_str texts[] = {t->job.cases.calls ? c->in : (sc_str){"", 0}, c->want, t->job.entry};
    const int fds[] = {link, e->checker_out};
    return sc_wire_send(w->checker, m, texts, SC_LEN(texts), fds, e->checker_out >= 0 ? 2 : 1, err);
}

/* Hands program and tests to their two processes. */
static sc_code hand_out(sc_runner *w, const sc_spare *to, const ends *e, sc_err *err)
{
    const sc_job *j = &w->task->job;
    const bool tool = w->o.tools;
    const sc_wire_mode mode = tool ? SC_MODE_TOOL : mode_of(j);
    sc_wire_msg m = {.type = SC_WIRE_RUN,
                     .mode = (uint32_t)mode,
                     .flags = j->names ? SC_RUN_NAMES : 0,
                     .nonce = {w->nonce[0], w->nonce[1]},
                     .limits = to->limits};
    const bool single = mode == SC_MODE_SINGLE;
    const sc_str none = {"", 0};
    // The tests reach the sample's process only where they cannot be kept from it.
    const sc_str program[] = {j->source, j->entry, single ? j->context : none,
                              single ? j->test : none};
    const int fds[] = {e->in, e->out};
    SC_TRY(sc_wire_send(to->control, m, program, SC_LEN(program), fds, e->in >= 0 ? 2 : 0, err));
    if (tool)
        return SC_OK;
    m.type = SC_WIRE_CHECK;
    if (j->cases.n)
        return hand_out_case(w, m, to->link, e, err);
    const sc_str tests[] = {j->context, single ? none : j->test, j->entry};
    return sc_wire_send(w->checker, m, tests, SC_LEN(tests), &to->link, 1, err);
}

static void runs_from(sc_runner *w, uint64_t now)
{
    w->first_ns = w->looked_ns = now;
    w->look_ns = now + LOOK_MS * MS;
}

/* The program goes to `to`, whose process is the sample's from now on. */
static sc_code give_program(sc_runner *w, sc_spare *to, sc_err *err)
{
    w->waits = false;
    w->serial = to->serial;
    w->pidfd = to->pidfd;
    w->output = to->output;
    to->pidfd = to->output = -1;
    ends e = {-1, -1, -1};
    sc_code code = SC_OK;
    if (!w->o.tools && mode_of(&w->task->job) == SC_MODE_STDIO)
        code = open_case(w->task, &e, err);
    if (code == SC_OK)
        code = hand_out(w, to, &e, err);
    if (code == SC_OK && w->o.tools) {
        w->tool_fd = to->link;
        to->link = -1;
    }
    if (w->pidfd >= 0)
        runs_from(w, sc_now_ns());
    // What was handed out the others have.
    sc_wire_close(&e.in);
    sc_wire_close(&e.out);
    sc_wire_close(&e.checker_out);
    sc_spare_drop(to); // what is left of it
    return code;
}

static sc_code ask_for_spare(sc_runner *w, const sc_wire_limits *l, sc_err *err)
{
    if (++w->last_serial == 0) // 0 is none
        w->last_serial = 1;
    return sc_spare_ask(w->control, w->last_serial, w->ahead && !w->busy, l, &w->spare, err);
}

/* The program goes to a process with its limits; one with others is ended first, and waited for:
 * while it ends it counts against the limit on processes. */
static sc_code start_program(sc_runner *w, sc_err *err)
{
    const sc_wire_limits l = limits_of(w, &w->task->job.limits);
    if (w->spare.serial && !sc_spare_fits(&w->spare, &l)) {
        sc_spare_drop(&w->spare);
        w->dying = true;
    }
    w->waits = w->dying;
    if (w->waits)
        return SC_OK;
    if (!w->spare.serial)
        SC_TRY(ask_for_spare(w, &l, err));
    return give_program(w, &w->spare, err);
}

void sc_runner_expect(sc_runner *w, const sc_box_limits *l)
{
    w->busy = l != NULL;
    if (l)
        w->expected = *l;
}

sc_code sc_runner_prepare(sc_runner *w, sc_err *err)
{
    if (!w->ahead || w->spare.serial || w->dying || w->expected.cpu_s <= 0)
        return SC_OK;
    const sc_wire_limits l = limits_of(w, &w->expected);
    return ask_for_spare(w, &l, err);
}

static void begin(sc_runner *w, sc_box_task *t)
{
    w->task = t;
    w->expected = t->job.limits;
    w->state = SC_WORKER_RUNNING;
    w->run_ns = sc_now_ns();
    w->first_ns = w->end_ns = 0;
    w->look_ns = w->give_up_ns = UINT64_MAX;
    w->has_result = w->o.tools;
    w->has_ended = w->at_eof = w->killed = false;
    w->waits = true;
    w->serial = 0;
    w->stop = SC_STOP_NONE;
    w->status = w->line = 0;
    w->cpu_us = w->peak_kib = 0;
    w->outcome = w->flags = w->n_calls = 0;
    w->error_type[0] = w->message[0] = '\0';
    sc_tree_init(&w->tree, 0);
    sc_output_clear(&w->printed);
    sc_buf_clear(&w->tool);
}

sc_code sc_runner_run(sc_runner *w, sc_box_task *t, sc_err *err)
{
    begin(w, t);
    if (w->group.path) {
        const sc_box_limits *l = &t->job.limits;
        SC_TRY(sc_cgroup_limit(&w->group, (uint64_t)l->memory_mib << 20, l->tasks, err));
        SC_TRY(sc_cgroup_look(&w->group, &w->group_before, err));
    }
    if (getrandom(w->nonce, sizeof w->nonce, 0) != sizeof w->nonce)
        return sc_fail_sys(err, SC_E_IO, errno, "getrandom: %s", strerror(errno));
    return start_program(w, err);
}

// ---- events

size_t sc_runner_fds(const sc_runner *w, struct pollfd *p)
{
    size_t n = 0;
    const int fd[SC_WORKER_FDS] = {w->control, w->checker, w->at_eof ? -1 : w->output, w->tool_fd};
    if (w->state == SC_WORKER_DOWN)
        return 0;
    for (size_t i = 0; i < SC_WORKER_FDS; i++)
        if (fd[i] >= 0)
            p[n++] = (struct pollfd){.fd = fd[i], .events = POLLIN};
    return n;
}

/*
 * When the wall limit is reached. Time that the program was ready to run while others had the CPUs
 * does not count, so a busy machine makes no timeouts; there is an end to that too.
 */
static uint64_t wall_end(const sc_runner *w)
{
    const uint64_t wall = (uint64_t)(w->task->job.limits.wall_s * 1e9);
    const uint64_t most = WAIT_FACTOR * wall;
    const uint64_t waited = w->tree.delay_ns < most ? w->tree.delay_ns : most;
    return (w->first_ns ? w->first_ns : w->run_ns + wall) + wall + waited;
}

uint64_t sc_runner_deadline(const sc_runner *w)
{
    if (w->state == SC_WORKER_STARTING)
        return w->started_ns + START_MS * MS;
    if (w->state != SC_WORKER_RUNNING)
        return UINT64_MAX;
    uint64_t at = w->look_ns;
    if (!w->killed && wall_end(w) < at)
        at = wall_end(w);
    return w->give_up_ns < at ? w->give_up_ns : at;
}

static void kill_sample(sc_runner *w, sc_stop why, uint64_t now)
{
    if (w->killed)
        return;
    w->killed = true;
    w->stop = why;
    w->look_ns = UINT64_MAX;
    w->give_up_ns = now + KILL_MS * MS;
    kill_pidfd(w->pidfd);
    sc_cgroup_kill(&w->group);
}

static sc_code on_ready(sc_runner *w, const sc_wire_in *in, sc_err *err)
{
    (void)snprintf(w->python, sizeof w->python, "%.*s", SC_STRF(in->text[0])); // may be cut
    if (!w->o.tools)
        return start_checker(w, err);
    w->state = SC_WORKER_IDLE;
    return SC_OK;
}

static void on_ended(sc_runner *w, const sc_wire_in *in, uint64_t now)
{
    w->has_ended = true;
    w->status = in->m.status;
    w->cpu_us = in->m.cpu_us;
    w->peak_kib = in->m.peak_kib;
    w->end_ns = now;
    w->look_ns = UINT64_MAX;
    // The checker sees the end of its link and says so, unless it is lost in what it was sent.
    w->give_up_ns = now + CHECKER_MS * MS;
}

/* A process is there: the sample's own, or the spare. Beside the checker it is the only one:
 * nothing is left of the sample before. */
static sc_code on_started(sc_runner *w, sc_wire_in *in, uint64_t now, sc_err *err)
{
    if (w->state == SC_WORKER_RUNNING && !w->waits && in->m.serial == w->serial) {
        w->pidfd = sc_wire_take_fd(in, 0);
        runs_from(w, now);
        if (w->killed)
            kill_pidfd(w->pidfd);
    } else if (w->spare.serial == in->m.serial) {
        w->spare.pidfd = sc_wire_take_fd(in, 0);
    }
    return sc_runner_count(w, 2, err);
}

/* A process has ended: the sample's, one that was dropped, or the spare, which is our fault. */
static sc_code on_end(sc_runner *w, const sc_wire_in *in, uint64_t now, sc_err *err)
{
    if (w->state == SC_WORKER_RUNNING && !w->waits && in->m.serial == w->serial) {
        on_ended(w, in, now);
        return SC_OK;
    }
    if (w->spare.serial == in->m.serial) {
        char text[256] = "";
        w->refused = sc_spare_refused(&w->spare, text, sizeof text);
        return sc_fail(err, SC_E_SANDBOX, "%s%s",
                       w->refused ? "a lock does not hold any more: "
                                  : "a sample ended before it had a program",
                       text);
    }
    w->dying = false;
    return w->state == SC_WORKER_RUNNING && w->waits ? start_program(w, err) : SC_OK;
}

static sc_code on_control(sc_runner *w, uint64_t now, sc_err *err)
{
    SC_AUTO(sc_wire_in) in = {0};
    SC_TRY_IN(sc_wire_recv(w->control, &in, err), err, "a worker ended");
    switch (in.m.type) {
    case SC_WIRE_READY:
        return on_ready(w, &in, err);
    case SC_WIRE_CHECKER_STARTED:
        w->checker_pidfd = sc_wire_take_fd(&in, 0);
        if (w->state == SC_WORKER_STARTING)
            w->state = SC_WORKER_IDLE;
        return SC_OK;
    case SC_WIRE_STARTED:
        return on_started(w, &in, now, err);
    case SC_WIRE_ENDED:
        return on_end(w, &in, now, err);
    case SC_WIRE_BROKEN:
        return sc_fail(err, SC_E_SANDBOX, "%.*s", SC_STRF(in.text[0]));
    default:
        return sc_fail(err, SC_E_SANDBOX, "a worker sent a message of an unknown kind");
    }
}

static sc_code on_checker(sc_runner *w, uint64_t now, sc_err *err)
{
    SC_AUTO(sc_wire_in) in = {0};
    SC_TRY_IN(sc_wire_recv(w->checker, &in, err), err, "a checker ended");
    if (in.m.type != SC_WIRE_RESULT || w->state != SC_WORKER_RUNNING || w->has_result)
        return sc_fail(err, SC_E_SANDBOX, "a checker sent a message of an unknown kind");
    w->has_result = true;
    w->outcome = in.m.outcome;
    w->flags = in.m.flags;
    w->n_calls = in.m.n_calls;
    w->line = in.m.line;
    (void)snprintf(w->error_type, sizeof w->error_type, "%.*s", SC_STRF(in.text[0])); // may be cut
    const size_t n = in.text[1].n < sizeof w->message - 1 ? in.text[1].n : sizeof w->message - 1;
    memcpy(w->message, in.text[1].p, n);
    w->message[n] = '\0';
    // Judged: whatever still runs is not needed any more.
    if (w->has_ended)
        return SC_OK;
    kill_sample(w, SC_STOP_NONE, now);
    return sc_runner_prepare(w, err); // while the kernel takes that one apart
}

static void on_output(sc_runner *w, uint64_t now)
{
    char block[OUTPUT_BLOCK];
    const uint64_t cap = (uint64_t)w->task->job.limits.output_kib << 10;
    for (unsigned i = 0; i < 16; i++) { // then the others have their turn
        const ssize_t n = read(w->output, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            w->at_eof = true;
            return;
        }
        sc_output_add(&w->printed, block, (size_t)n);
        if (w->printed.printed > cap && !w->has_result) {
            kill_sample(w, SC_STOP_OUTPUT, now);
            return;
        }
    }
}

static void on_tool(sc_runner *w)
{
    char block[OUTPUT_BLOCK];
    ssize_t n = 0;
    do
        n = recv(w->tool_fd, block, sizeof block, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        sc_buf_add(&w->tool, block, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        sc_wire_close(&w->tool_fd);
}

/*
 * How long until the next look, in ns: sooner where the processes, which no limit of the kernel's
 * holds together, would pass theirs by then at the pace of the `took` ns since they had `before`.
 */
static uint64_t look_again(const sc_tree *t, uint64_t before_kib, uint64_t took, uint64_t limit_kib)
{
    if (t->alive < 2 || t->rss_kib <= before_kib || t->rss_kib >= limit_kib)
        return LOOK_MS * MS;
    const double pace = (double)(t->rss_kib - before_kib) / (double)took;
    const double half = (double)(limit_kib - t->rss_kib) / pace / 2;
    if (half < LEAST_LOOK_MS * MS)
        return LEAST_LOOK_MS * MS;
    return half < LOOK_MS * MS ? (uint64_t)half : LOOK_MS * MS;
}

/* One look at the tree: CPU and memory against the limits. */
static void look(sc_runner *w, uint64_t now)
{
    const sc_box_limits *l = &w->task->job.limits;
    if (w->pidfd < 0)
        return;
    if (!w->tree.root)
        sc_tree_init(&w->tree, sc_tree_pid_of(w->pidfd));
    w->look_ns = now + LOOK_MS * MS;
    if (w->tree.root <= 0)
        return; // it has ended; the message is on its way
    const uint64_t limit_kib = (uint64_t)l->memory_mib << 10, before_kib = w->tree.rss_kib;
    sc_tree_look(&w->tree, limit_kib);
    w->look_ns = sc_now_ns() + look_again(&w->tree, before_kib, now - w->looked_ns + 1, limit_kib);
    w->looked_ns = now;
    if ((double)w->tree.cpu_ns > l->cpu_s * 1e9)
        kill_sample(w, SC_STOP_CPU, now);
    else if (w->tree.rss_kib > limit_kib)
        kill_sample(w, SC_STOP_MEMORY, now);
}

/* The checker hangs over what the sample sent it: ended, and a new one started. */
static sc_code replace_checker(sc_runner *w, sc_err *err)
{
    kill_pidfd(w->checker_pidfd);
    w->has_result = true;
    if (w->stop == SC_STOP_NONE)
        w->stop = SC_STOP_CHECKER;
    return start_checker(w, err);
}

static sc_code on_time(sc_runner *w, uint64_t now, sc_err *err)
{
    if (w->state == SC_WORKER_STARTING && now >= w->started_ns + START_MS * MS)
        return sc_fail(err, SC_E_SANDBOX, "a worker does not start");
    if (w->state != SC_WORKER_RUNNING)
        return SC_OK;
    if (!w->killed && now >= w->look_ns)
        look(w, now);
    if (!w->killed && now >= wall_end(w)) {
        look(w, now); // it may have waited for a CPU since the last look
        if (!w->killed && now >= wall_end(w))
            kill_sample(w, SC_STOP_WALL, now);
    }
    if (now < w->give_up_ns)
        return SC_OK;
    if (!w->has_ended)
        return sc_fail(err, SC_E_SANDBOX, "a sample does not end when it is killed");
    w->give_up_ns = UINT64_MAX;
    w->at_eof = true; // nobody can be writing any more
    return w->has_result ? SC_OK : replace_checker(w, err);
}

static sc_code event(sc_runner *w, const struct pollfd *p, size_t n, uint64_t now, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!p[i].revents)
            continue;
        if (p[i].fd == w->control)
            SC_TRY(on_control(w, now, err));
        else if (p[i].fd == w->checker)
            SC_TRY(on_checker(w, now, err));
        else if (p[i].fd == w->output && w->state == SC_WORKER_RUNNING && !w->at_eof)
            on_output(w, now);
        else if (p[i].fd == w->tool_fd)
            on_tool(w);
    }
    return on_time(w, now, err);
}

sc_code sc_runner_event(sc_runner *w, const struct pollfd *p, size_t n, uint64_t now, sc_err *err)
{
    const sc_code code = event(w, p, n, now, err);
    if (code != SC_OK)
        w->broken = *err;
    return code;
}

bool sc_runner_done(const sc_runner *w)
{
    return w->state == SC_WORKER_RUNNING && w->has_result && w->has_ended && w->at_eof &&
           w->tool_fd < 0;
}
