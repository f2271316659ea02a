/**
 * worker.h - one worker of a box: its processes, the sample that runs in it, and what it reports.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_WORKER_H
#define SC_BOX_WORKER_H

#include "box/box.h"
#include "box/cgroup.h"
#include "box/output.h"
#include "box/spare.h"
#include "box/tree.h"
#include "box/wire.h"

#include <poll.h>

enum { SC_WORKER_FDS = 4 };

/** A job in our own memory. */
typedef struct sc_box_task {
    sc_job job;
    char *texts; // owned: all texts of the job
    unsigned attempts;
    size_t at_case;           // of the job's cases
    sc_verdict sum;           // of the cases that passed: times, memory, calls
    struct sc_box_task *next; // owned by the queue
} sc_box_task;

void sc_box_task_free(sc_box_task *t);

/** Why we stopped a sample. */
typedef enum sc_stop {
    SC_STOP_NONE,
    SC_STOP_CPU,
    SC_STOP_WALL,
    SC_STOP_MEMORY,
    SC_STOP_OUTPUT,
    SC_STOP_CHECKER, // the checker itself took too long over what the sample sent
} sc_stop;

typedef enum sc_worker_state {
    SC_WORKER_DOWN,
    SC_WORKER_STARTING,
    SC_WORKER_IDLE,
    SC_WORKER_RUNNING, // or its program waits for the process that is to run it
} sc_worker_state;

typedef struct sc_worker_opts {
    const char *guest;
    sc_box_level level;
    uint32_t uid; // 0: as now
    uint32_t slot;
    uint32_t hash_seed;
    int cpu; // to stay on; -1: any
    bool tools;
    const char *cgroup;  // to make its own group in; NULL: none
    const char *scratch; // reduced levels
    const char *root;
} sc_worker_opts;

typedef struct sc_runner {
    sc_worker_opts o;
    sc_worker_state state;
    int control, checker; // sockets; -1
    int checker_pidfd;    // -1
    pid_t parent;         // our child
    int children;         // the kernel's list of the zygote's; -1: not opened yet
    uint64_t started_ns;
    sc_cgroup group; // of its samples
    sc_cgroup_state group_before;
    char python[128];
    sc_err broken; // why it is down

    // The process that waits for the next program. It is never there beside a program that runs:
    // what that one may start is counted for all processes of the box together.
    bool ahead;     // made before the program is known
    sc_spare spare; // serial 0: none
    bool dying;     // one was dropped and is not yet said to have ended
    uint32_t last_serial;
    sc_box_limits expected; // of the next job, as far as known
    bool busy;              // a job is waiting
    bool refused;           // a lock did not hold

    // the sample
    sc_box_task *task; // owned while it runs
    bool waits;        // for its process
    uint32_t serial;   // of its process
    int pidfd, output;
    uint64_t nonce[2];
    uint64_t run_ns, first_ns, give_up_ns;
    uint64_t look_ns, looked_ns; // the next look at its processes, and the last one
    bool has_result, has_ended, at_eof, killed;
    sc_stop stop;
    int status;
    uint64_t cpu_us, peak_kib, end_ns;
    uint32_t outcome, flags, n_calls;
    int line;
    char error_type[64], message[2048];
    sc_tree tree;
    sc_output printed;
    sc_buf tool; // what a tool answered
    int tool_fd; // -1
} sc_runner;

/** Starts its processes; sc_runner_event brings it to SC_WORKER_IDLE. */
sc_code sc_runner_start(sc_runner *w, const sc_worker_opts *o, sc_err *err) SC_CHECKED;

/** Kills its processes and waits for them. */
void sc_runner_stop(sc_runner *w);

/** Says what limits the next spare is made for: the first waiting job's; NULL: none is waiting. */
void sc_runner_expect(sc_runner *w, const sc_box_limits *l);

/** Asks for the next spare, if there is none and they are made ahead here. */
sc_code sc_runner_prepare(sc_runner *w, sc_err *err) SC_CHECKED;

/** Begins with `t`, which it owns from now on whatever happens. */
sc_code sc_runner_run(sc_runner *w, sc_box_task *t, sc_err *err) SC_CHECKED;

/**
 * At level full: that the zygote has `n` children and no more. Errors: SC_E_SANDBOX
 */
sc_code sc_runner_count(sc_runner *w, size_t n, sc_err *err) SC_CHECKED;

/** What to wait for: fills `p` (room for SC_WORKER_FDS); returns how many. */
size_t sc_runner_fds(const sc_runner *w, struct pollfd *p);

/** When to look again at the latest, on the monotonic clock; UINT64_MAX: never. */
uint64_t sc_runner_deadline(const sc_runner *w);

/** Handles what poll(2) said and the time. An error: the worker is down and w->broken says why. */
sc_code sc_runner_event(sc_runner *w, const struct pollfd *p, size_t n, uint64_t now_ns,
                        sc_err *err) SC_CHECKED;

/** Whether the sample has ended in every respect. */
bool sc_runner_done(const sc_runner *w);

/** The verdict; the worker is idle again. *fault: ours, the job is to be repeated. */
sc_code sc_runner_verdict(sc_runner *w, sc_verdict *out, bool *fault, sc_err *err) SC_CHECKED;

uint64_t sc_now_ns(void);

#endif
