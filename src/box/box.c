// SPDX-License-Identifier: MIT
#include "box/box.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "box/attack.h"
#include "box/place.h"
#include "box/worker.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CALIBRATIONS = 3,
    MOST_CALIBRATIONS = 20,
    MAX_JOBS = 63,
    MAX_ATTEMPTS = 3,
    MAX_RESTARTS = 3, // of one worker without a sample between
};

struct sc_box {
    sc_box_opts o;
    char *guest;  // owned
    char *cgroup; // owned; NULL: none
    sc_box_level level;
    char why[512];
    double slowness; // against the machine the limits are meant for; 1: as fast, or not measured
    sc_place *place; // owned; folders of the reduced levels
    unsigned n;
    sc_runner *w;               // owned, [n]
    unsigned *fails;            // owned, [n]
    sc_box_task *first, **last; // waiting, in the order they came; repeated ones go first
    size_t pending;             // handed in and not given back
    sc_box_task *lost;          // given up on after MAX_ATTEMPTS
};

// What the calibrating loop takes on the machine that the limits are meant for.
#define REFERENCE_S 0.02

static sc_box_limits with_defaults(const sc_box *b, const sc_box_limits *in)
{
    sc_box_limits l = *in;
    if (l.cpu_s <= 0)
        l.cpu_s = 2;
    if (l.wall_s <= 0)
        l.wall_s = 3 * l.cpu_s;
    // Whole steps only: the noise of a measurement must not move a limit.
    const unsigned times = b->slowness >= 2 ? (unsigned)b->slowness : 1;
    l.cpu_s *= times;
    l.wall_s *= times;
    const struct {
        uint32_t *at, preset;
    } rest[] = {{&l.memory_mib, 512}, {&l.tasks, 32},    {&l.output_kib, 256},
                {&l.disk_mib, 64},    {&l.inodes, 4096}, {&l.files, 128}};
    for (size_t i = 0; i < SC_LEN(rest); i++)
        if (!*rest[i].at)
            *rest[i].at = rest[i].preset;
    return l;
}

// ---- start and end

static void stop_workers(sc_box *b)
{
    for (unsigned i = 0; i < b->n; i++)
        sc_runner_stop(&b->w[i]);
}

void sc_box_close(sc_box *b)
{
    if (!b)
        return;
    stop_workers(b);
    while (b->first) {
        sc_box_task *t = b->first;
        b->first = t->next;
        sc_box_task_free(t);
    }
    while (b->lost) {
        sc_box_task *t = b->lost;
        b->lost = t->next;
        sc_box_task_free(t);
    }
    sc_place_close(b->place);
    sc_free(b->w);
    sc_free(b->fails);
    sc_free(b->guest);
    sc_free(b->cgroup);
    sc_free(b);
}

/* A CPU of its own for worker `i`, if there are as many workers as CPUs; -1: else. */
static int cpu_of(const sc_box *b, unsigned i)
{
    cpu_set_t set;
    if (b->o.tools || sched_getaffinity(0, sizeof set, &set) || b->n < (unsigned)CPU_COUNT(&set))
        return -1;
    unsigned left = i % (unsigned)CPU_COUNT(&set);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &set) && left-- == 0)
            return cpu;
    return -1;
}

static sc_code start_worker(sc_box *b, unsigned i, sc_err *err)
{
    const bool root = geteuid() == 0;
    // A box of tools beside one of programs: the sweep of one is not to end the other.
    const unsigned slot = b->o.tools ? MAX_JOBS - i : i;
    const sc_worker_opts o = {
        .guest = b->guest,
        .level = b->level,
        .uid = root && b->level >= SC_BOX_REDUCED_UID ? sc_place_uid(slot) : 0,
        .slot = i,
        .hash_seed = b->o.hash_seed,
        .cpu = cpu_of(b, i),
        .tools = b->o.tools,
        .cgroup = b->cgroup,
        .scratch = sc_place_scratch(b->place, i),
        .root = sc_place_root(b->place, i),
    };
    return sc_runner_start(&b->w[i], &o, err);
}

/* One round of waiting and events; with `repair` a worker that broke is started again. */
static sc_code turn(sc_box *b, int timeout_ms, bool repair, sc_err *err);

static sc_code wait_idle(sc_box *b, sc_err *err)
{
    for (;;) {
        bool all = true;
        for (unsigned i = 0; i < b->n; i++)
            all &= b->w[i].state == SC_WORKER_IDLE;
        if (all)
            return SC_OK;
        SC_TRY(turn(b, -1, false, err));
    }
}

/* Every worker at b->level, proven by attack. */
static sc_code try_level(sc_box *b, sc_err *err)
{
    SC_TRY(sc_place_open(b->level, b->n, &b->place, err));
    for (unsigned i = 0; i < b->n; i++)
        SC_TRY(start_worker(b, i, err));
    SC_TRY(wait_idle(b, err));
    return b->o.tools || b->level == SC_BOX_NONE ? SC_OK : sc_attack_all(b, b->n, err);
}

static void drop_level(sc_box *b)
{
    stop_workers(b);
    sc_place_close(b->place);
    b->place = NULL;
}

static sc_code find_level(sc_box *b, sc_err *err)
{
    if (b->o.exact) {
        b->level = b->o.level;
        return try_level(b, err);
    }
    for (int level = SC_BOX_FULL; level > SC_BOX_NONE; level--) {
        if (level == SC_BOX_REDUCED_UID && geteuid() != 0)
            continue;
        b->level = (sc_box_level)level;
        sc_err e = {0};
        const sc_code code = try_level(b, &e);
        if (code == SC_OK)
            return SC_OK;
        drop_level(b);
        const size_t used = strlen(b->why);
        (void)snprintf(b->why + used, sizeof b->why - used, "%s%s: %s", used ? "; " : "",
                       sc_box_level_name(b->level), e.msg); // may be cut
        if (code != SC_E_SANDBOX) {
            *err = e;
            return code;
        }
    }
    return sc_fail(err, SC_E_SANDBOX, "no level of the sandbox holds here: %s", b->why);
}

/* The guest program: beside this one, in the build tree's folder, or in libexec. */
static char *find_guest(const char *given)
{
    static const char *const place[] = {"scbench-guest",
                                        "guest/scbench-guest",
                                        "../guest/scbench-guest",
                                        "../../guest/scbench-guest",
                                        "../../../guest/scbench-guest",
                                        "../libexec/scbench/scbench-guest"};
    if (given)
        return sc_strdup(given);
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < SC_LEN(place); i++) {
        char *path = sc_path_join(self, place[i]);
        if (!path || access(path, X_OK) == 0)
            return path;
        sc_free(path);
    }
    return sc_path_join(self, place[0]);
}

/* How long a fixed loop takes here: the fastest of a few runs. */
static sc_code calibrate(sc_box *b, sc_err *err)
{
    const sc_job job = {
        .source = SC_STR("x = 0\nfor i in range(120000):\n    x = (x * 31 + i) & 0xffff\n"),
        .limits = {.cpu_s = 20}};
    double least = 0;
    // Before a machine is called slow it is looked at again: others may have had it for a moment.
    for (unsigned i = 0; i < CALIBRATIONS || (i < MOST_CALIBRATIONS && least >= 2 * REFERENCE_S);
         i++) {
        SC_AUTO(sc_verdict) v = {0};
        SC_TRY(sc_box_run(b, &job, &v, err));
        if (v.kind == SC_BOX_PASSED && (least <= 0 || v.cpu_s < least))
            least = v.cpu_s;
    }
    if (least > 0)
        b->slowness = least / REFERENCE_S;
    return SC_OK;
}

sc_code sc_box_open(const sc_box_opts *o, sc_box **out, sc_err *err)
{
    SC_AUTO(sc_box) *b = sc_new(sc_box);
    if (!b)
        return sc_fail_nomem(err);
    b->o = *o;
    b->last = &b->first;
    b->n = o->jobs ? o->jobs : sc_pool_cpus();
    if (b->n > MAX_JOBS)
        b->n = MAX_JOBS;
    b->w = sc_alloc(b->n, sizeof *b->w);
    b->fails = sc_alloc(b->n, sizeof *b->fails);
    b->guest = find_guest(o->guest);
    b->cgroup = o->cgroup ? sc_strdup(o->cgroup) : NULL;
    if (!b->w || !b->fails || !b->guest || (o->cgroup && !b->cgroup))
        return sc_fail_nomem(err);
    if (b->cgroup)
        SC_TRY(sc_cgroup_prepare(b->cgroup, err));
    for (unsigned i = 0; i < b->n; i++)
        b->w[i].control = b->w[i].checker = b->w[i].checker_pidfd = b->w[i].pidfd = b->w[i].output =
            b->w[i].tool_fd = b->w[i].children = b->w[i].group.dir = b->w[i].group.procs = -1;
    SC_TRY(find_level(b, err));
    b->slowness = 1;
    if (!o->tools)
        SC_TRY(calibrate(b, err));
    *out = sc_take(b);
    return SC_OK;
}

double sc_box_slowness(const sc_box *b)
{
    return b->slowness;
}

sc_box_level sc_box_level_of(const sc_box *b)
{
    return b->level;
}

const char *sc_box_level_why(const sc_box *b)
{
    return b->why;
}

const char *sc_box_python(const sc_box *b)
{
    return b->w[0].python;
}

const char *sc_box_cgroup(const sc_box *b)
{
    return b->cgroup;
}

unsigned sc_box_jobs(const sc_box *b)
{
    return b->n;
}

size_t sc_box_pending(const sc_box *b)
{
    return b->pending;
}

// ---- the queue

/* The five texts of a job copied into one block. */
static sc_code copy_texts(sc_box_task *t, sc_err *err)
{
    sc_str *const text[] = {&t->job.source, &t->job.test, &t->job.entry, &t->job.context};
    size_t total = 1;
    for (size_t i = 0; i < SC_LEN(text); i++)
        if (!sc_add_size(total, text[i]->n, &total) || total > SC_WIRE_MAX_TEXT)
            return sc_fail(err, SC_E_LIMIT, "a program and its tests longer than %d MiB",
                           SC_WIRE_MAX_TEXT >> 20);
    t->texts = sc_alloc(total, 1);
    if (!t->texts)
        return sc_fail_nomem(err);
    char *p = t->texts;
    for (size_t i = 0; i < SC_LEN(text); i++) {
        if (text[i]->n)
            memcpy(p, text[i]->p, text[i]->n);
        text[i]->p = p;
        p += text[i]->n;
    }
    return SC_OK;
}

/* The verdict of a case that passed, when there is another: added to what the job took so far. */
static bool goes_on(sc_box_task *t, const sc_verdict *v)
{
    if (v->kind != SC_BOX_PASSED || t->at_case + 1 >= t->job.cases.n)
        return false;
    t->at_case++;
    t->sum = *v; // which has the sum so far in it
    return true;
}

static void push(sc_box *b, sc_box_task *t, bool front)
{
    t->next = front ? b->first : NULL;
    if (front) {
        b->first = t;
        if (!t->next)
            b->last = &t->next;
    } else {
        *b->last = t;
        b->last = &t->next;
    }
}

static sc_box_task *pop(sc_box *b)
{
    sc_box_task *t = b->first;
    b->first = t->next;
    if (!b->first)
        b->last = &b->first;
    t->next = NULL;
    return t;
}

sc_code sc_box_submit(sc_box *b, const sc_job *job, sc_err *err)
{
    sc_box_task *t = sc_new(sc_box_task);
    if (!t)
        return sc_fail_nomem(err);
    t->job = *job;
    t->job.limits = with_defaults(b, &job->limits);
    const sc_code code = copy_texts(t, err);
    if (code != SC_OK) {
        sc_box_task_free(t);
        return code;
    }
    push(b, t, false);
    b->pending++;
    return SC_OK;
}

/* Back into the queue after a fault of ours, or given up on. */
static void repeat(sc_box *b, sc_box_task *t)
{
    t->attempts++;
    if (t->attempts < MAX_ATTEMPTS) {
        push(b, t, true);
        return;
    }
    t->next = b->lost;
    b->lost = t;
}

static sc_code repair_worker(sc_box *b, unsigned i, sc_err *err)
{
    sc_runner *w = &b->w[i];
    const sc_err why = w->broken;
    sc_box_task *t = w->task;
    w->task = NULL;
    const bool refused = w->refused;
    sc_runner_stop(w);
    if (t)
        repeat(b, t);
    // A lock that was there at the start is gone: nothing more runs.
    if (++b->fails[i] > MAX_RESTARTS || refused) {
        *err = why;
        err->code = SC_E_SANDBOX;
        return SC_E_SANDBOX;
    }
    return start_worker(b, i, err);
}

static sc_code dispatch(sc_box *b, sc_err *err)
{
    for (unsigned i = 0; i < b->n; i++) {
        sc_runner *w = &b->w[i];
        sc_code code = SC_OK;
        if (w->state == SC_WORKER_IDLE && b->first)
            code = sc_runner_run(w, pop(b), &w->broken);
        else if (w->state == SC_WORKER_IDLE)
            code = sc_runner_prepare(w, &w->broken);
        sc_runner_expect(w, b->first ? &b->first->job.limits : NULL);
        if (code != SC_OK)
            SC_TRY(repair_worker(b, i, err));
    }
    return SC_OK;
}

static int wait_ms(const sc_box *b, int timeout_ms)
{
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < b->n; i++) {
        const uint64_t d = sc_runner_deadline(&b->w[i]);
        if (d < at)
            at = d;
    }
    if (at == UINT64_MAX)
        return timeout_ms;
    const uint64_t now = sc_now_ns();
    const uint64_t ms = at > now ? (at - now) / 1000000u + 1 : 0;
    if (timeout_ms >= 0 && ms > (uint64_t)timeout_ms)
        return timeout_ms;
    return ms > 60000 ? 60000 : (int)ms;
}

static sc_code turn(sc_box *b, int timeout_ms, bool repair, sc_err *err)
{
    struct pollfd p[MAX_JOBS * SC_WORKER_FDS];
    size_t from[MAX_JOBS + 1] = {0};
    for (unsigned i = 0; i < b->n; i++)
        from[i + 1] = from[i] + sc_runner_fds(&b->w[i], p + from[i]);
    // Interrupted or nothing ready: the deadlines are looked at either way.
    if (poll(p, from[b->n], wait_ms(b, timeout_ms)) < 0)
        for (size_t i = 0; i < from[b->n]; i++)
            p[i].revents = 0;
    const uint64_t now = sc_now_ns();
    for (unsigned i = 0; i < b->n; i++) {
        sc_err e = {0};
        if (sc_runner_event(&b->w[i], p + from[i], from[i + 1] - from[i], now, &e) == SC_OK)
            continue;
        if (!repair) {
            *err = e;
            return e.code == SC_E_NOMEM ? SC_E_NOMEM : (err->code = SC_E_SANDBOX);
        }
        SC_TRY(repair_worker(b, i, err));
    }
    return SC_OK;
}

static void lost_verdict(sc_box *b, sc_verdict *out)
{
    sc_box_task *t = b->lost;
    b->lost = t->next;
    *out = (sc_verdict){
        .kind = SC_BOX_NOT_MEASURED, .level = b->level, .attempts = t->attempts, .tag = t->job.tag};
    (void)snprintf(out->message, sizeof out->message, "the sandbox failed %u times", t->attempts);
    sc_box_task_free(t);
}

/* The verdict of a worker that is through, unless the job has to be run again. */
static sc_code collect(sc_box *b, unsigned i, sc_verdict *out, bool *got, sc_err *err)
{
    sc_runner *w = &b->w[i];
    bool fault = false;
    sc_box_task *t = w->task;
    const bool unsplit = w->outcome == SC_OUT_UNSPLIT && w->stop == SC_STOP_NONE;
    const bool jail = w->outcome == SC_OUT_JAIL;
    sc_verdict v = {0};
    if (sc_runner_verdict(w, &v, &fault, &w->broken) != SC_OK)
        return repair_worker(b, i, err);
    if (jail) { // a lock that was there at the start is gone: nothing more runs
        sc_box_task_free(t);
        const sc_code code =
            sc_fail(err, SC_E_SANDBOX, "a lock does not hold any more: %s", v.message);
        sc_verdict_drop(&v);
        return code;
    }
    if (fault) {
        sc_verdict_drop(&v);
        if (unsplit && !t->job.single) {
            t->job.single = true;
            push(b, t, true);
        } else {
            repeat(b, t);
        }
        return SC_OK;
    }
    b->fails[i] = 0;
    if (goes_on(t, &v)) {
        sc_verdict_drop(&v);
        t->sum.output = NULL;
        push(b, t, true);
        return SC_OK;
    }
    sc_box_task_free(t);
    *out = v;
    *got = true;
    return SC_OK;
}

sc_code sc_box_poll(sc_box *b, int timeout_ms, sc_verdict *out, bool *got, sc_err *err)
{
    const uint64_t end =
        timeout_ms < 0 ? UINT64_MAX : sc_now_ns() + (uint64_t)timeout_ms * 1000000u;
    *got = false;
    for (bool looked = false;; looked = true) {
        SC_TRY(dispatch(b, err));
        for (unsigned i = 0; i < b->n && !*got; i++)
            if (sc_runner_done(&b->w[i]))
                SC_TRY(collect(b, i, out, got, err));
        if (!*got && b->lost) {
            lost_verdict(b, out);
            *got = true;
        }
        if (*got) {
            b->pending--;
            return dispatch(b, err); // the next one starts while the caller looks at this one
        }
        SC_TRY(dispatch(b, err)); // what goes on or is repeated does not wait for an event
        const uint64_t now = sc_now_ns();
        if (now >= end && looked)
            return SC_OK;
        if (!b->pending) // only what the workers have to say
            return turn(b, 0, true, err);
        uint64_t left = now < end ? (end - now) / 1000000u + 1 : 0; // 0: one look at what is there
        if (end == UINT64_MAX)
            left = end;
        SC_TRY(turn(b, left > 60000 ? 60000 : (int)left, true, err));
    }
}

sc_code sc_box_run(sc_box *b, const sc_job *job, sc_verdict *out, sc_err *err)
{
    SC_TRY(sc_box_submit(b, job, err));
    bool got = false;
    while (!got)
        SC_TRY(sc_box_poll(b, -1, out, &got, err));
    return SC_OK;
}

sc_code sc_box_tool(sc_box *b, sc_str request, double cpu_s, char **out, size_t *n, sc_err *err)
{
    const sc_job job = {.source = request, .limits = {.cpu_s = cpu_s, .wall_s = 4 * cpu_s + 2}};
    SC_TRY(sc_box_submit(b, &job, err));
    SC_TRY(dispatch(b, err));
    sc_runner *w = &b->w[0];
    while (!sc_runner_done(w)) {
        if (w->state == SC_WORKER_IDLE || w->state == SC_WORKER_DOWN)
            return sc_fail(err, SC_E_SANDBOX, "the tools' worker is down: %s", w->broken.msg);
        SC_TRY(turn(b, -1, false, err));
    }
    SC_AUTO(sc_buf) answer = w->tool;
    w->tool = sc_buf_init(answer.max);
    sc_box_task *t = w->task;
    bool fault = false;
    SC_AUTO(sc_verdict) v = {0};
    b->pending--;
    const bool stopped = w->stop != SC_STOP_NONE;
    const sc_code code = sc_runner_verdict(w, &v, &fault, err);
    sc_box_task_free(t);
    SC_TRY(code);
    if (stopped || !sc_buf_ok(&answer))
        return sc_fail(err, SC_E_LIMIT, "a tool took more than %g s or answered too much", cpu_s);
    if (!answer.n)
        return sc_fail(err, SC_E_SANDBOX, "a tool gave no answer: %.*s",
                       SC_STRF(((sc_str){v.output, v.n_output})));
    *n = answer.n;
    *out = sc_buf_take(&answer);
    return *out ? SC_OK : sc_fail_nomem(err);
}
