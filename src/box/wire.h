/**
 * wire.h - what the supervisor and the guest program say to each other.
 *
 * Control sockets are of the kind SOCK_SEQPACKET: a message arrives whole or not at all, so a guest
 * that stops in the middle cannot stall the supervisor. A message is one fixed struct and then its
 * texts; texts longer than SC_WIRE_INLINE travel in a memory file that is passed beside it. Both
 * ends are built from this header; the first message carries its version.
 *
 * Threads: any thread (pure functions on the caller's descriptors).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BOX_WIRE_H
#define SC_BOX_WIRE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SC_WIRE_VERSION = 3,
    SC_WIRE_INLINE = 60000,       // bytes of text inside a message
    SC_WIRE_MAX_FDS = 6,          // descriptors beside a message
    SC_WIRE_MAX_TEXTS = 4,        // texts behind the struct
    SC_WIRE_MAX_TEXT = 64 << 20,  // bytes of all texts together
    SC_WIRE_FD = 3,               // where the guest finds its control socket
    SC_WIRE_FRAME_MAX = 33 << 20, // one frame between checker and sample
};

typedef enum sc_wire_type {
    // supervisor to zygote
    SC_WIRE_SETUP = 1, // texts: scratch folder, root folder; once, first
    SC_WIRE_CHECKER,   // descriptors: the checker's control socket
    SC_WIRE_FORK, // limits, serial, flags; descriptors: the sample's control socket, output, link.
                  // Read when the sample before has ended and that was told
    // supervisor to a sample that waits for its program
    SC_WIRE_RUN, // texts: source, entry point, context, test; descriptors: for a program standard
                 // input and output
    // zygote to supervisor
    SC_WIRE_READY,           // locks hold and the interpreter is warm; texts: Python's version
    SC_WIRE_CHECKER_STARTED, // descriptors: its pidfd
    SC_WIRE_STARTED,         // serial; descriptors: the sample's pidfd
    SC_WIRE_ENDED,           // serial, status, cpu_us, peak_kib
    SC_WIRE_BROKEN,          // texts: what did not hold
    // supervisor to checker
    SC_WIRE_CHECK, // texts: context, test, entry point; descriptors: link, and for a program what
                   // it prints. Of a case: arguments, what is expected, entry point
    // checker to supervisor
    SC_WIRE_RESULT, // outcome, line, n_calls, flags; texts: error type, message
} sc_wire_type;

/** What is run in a sample's process. */
typedef enum sc_wire_mode {
    SC_MODE_SPLIT = 0, // tests in the checker, the sample answers calls
    SC_MODE_SINGLE,    // tests and sample in one interpreter, hardened as far as that goes
    SC_MODE_SCRIPT,    // no tests: the program runs to its end as __main__
    SC_MODE_STDIO,     // as a script; the checker looks at what it prints
    SC_MODE_CALL,      // for the checker alone: a case is one call; the sample's mode is split
    SC_MODE_TOOL,      // ours: syntax, lint, complexity, templates; the link carries JSON
} sc_wire_mode;

/** How a check ended, as the checker saw it. */
typedef enum sc_wire_outcome {
    SC_OUT_PASSED = 1, // the last line of the tests was reached
    SC_OUT_FAILED,     // a test did not hold
    SC_OUT_ERROR,      // the sample raised
    SC_OUT_SYNTAX,     // the sample does not compile
    SC_OUT_OOM,        // the sample raised MemoryError
    SC_OUT_GONE,       // the sample's process ended before the tests did
    SC_OUT_PROTOCOL,   // it answered something that is not an answer
    SC_OUT_UNSPLIT,    // an argument cannot be sent: this task needs the single mode
    SC_OUT_BAD_TEST,   // the tests do not compile
    SC_OUT_JAIL,       // a lock did not hold: ours
    SC_OUT_TOO_BIG,    // a value beyond the limits of the codec
    SC_OUT_PRINTED,    // it printed more than the limit
} sc_wire_outcome;

enum {                     // flags of a result
    SC_FLAG_HANDLE_EQ = 1, // a test compared an object that never left the sample's process
    SC_FLAG_PRINTED = 2,   // it printed what was expected, however it ended
    SC_FLAG_BEGUN = 4,     // its process had the program; before that its end is our fault
};

enum {                // flags of a run
    SC_RUN_NAMES = 1, // what the usual modules export needs no import
};

enum {                 // flags of a fork
    SC_FORK_TOUCH = 1, // no program is waiting: what every one writes to may be copied ahead
};

typedef struct sc_wire_limits {
    uint64_t memory; // bytes
    uint64_t disk;   // bytes of the writable folder
    uint64_t output; // bytes of standard output; for the checker
    uint64_t cpu_s;  // the kernel's own limit, a backstop: whole seconds
    uint32_t tasks;  // processes and threads
    uint32_t inodes; // of the writable folder
    uint32_t files;  // open descriptors
    uint32_t hash_seed;
} sc_wire_limits;

typedef struct sc_wire_msg {
    uint32_t type; // sc_wire_type
    uint32_t version;
    uint32_t level; // sc_box_level
    uint32_t mode;
    uint32_t slot;
    uint32_t serial; // which sample
    uint32_t uid;    // to run as, 0: as now
    int32_t pid;
    int32_t status; // as wait(2) has it
    int32_t line;
    uint32_t outcome;
    uint32_t flags;
    uint32_t n_calls;
    uint64_t cpu_us;
    uint64_t peak_kib;
    uint64_t nonce[2];
    sc_wire_limits limits;
    uint64_t text[SC_WIRE_MAX_TEXTS]; // lengths
    uint32_t apart;                   // 1: the texts are in the last descriptor
} sc_wire_msg;

/** A received message; sc_wire_drop closes what was not taken. */
typedef struct sc_wire_in {
    sc_wire_msg m;
    sc_str text[SC_WIRE_MAX_TEXTS]; // borrowed from `bytes` or `map`
    int fd[SC_WIRE_MAX_FDS];        // owned; -1: none or taken
    size_t n_fds;
    void *map; // owned
    size_t map_size;
    char *bytes; // owned, [n_bytes]
    size_t n_bytes;
} sc_wire_in;

/**
 * Sends `m` with its texts and descriptors; lengths and `apart` are filled in here.
 *
 * Errors: SC_E_IO, SC_E_LIMIT for texts beyond SC_WIRE_MAX_TEXT
 */
sc_code sc_wire_send(int fd, sc_wire_msg m, const sc_str *texts, size_t n_texts, const int *fds,
                     size_t n_fds, sc_err *err) SC_CHECKED;

/**
 * Receives one message.
 *
 * Owns:   the caller drops *in with sc_wire_drop.
 * Errors: SC_E_INTERRUPTED at the end of the stream, SC_E_IO, SC_E_FORMAT, SC_E_NOMEM
 */
sc_code sc_wire_recv(int fd, sc_wire_in *in, sc_err *err) SC_CHECKED;

/** Takes descriptor `i` of the message; -1 when it has none. */
int sc_wire_take_fd(sc_wire_in *in, size_t i);

void sc_wire_drop(sc_wire_in *in);

/** A sealed memory file with `text` in it, to be read from its beginning. Errors: SC_E_IO */
sc_code sc_wire_file(sc_str text, int *out, sc_err *err) SC_CHECKED;

/** Two connected sockets of `kind` (SOCK_SEQPACKET for messages). Errors: SC_E_IO */
sc_code sc_wire_pair(int kind, int pair[2], sc_err *err) SC_CHECKED;

/** Closes a socket, pipe or pidfd and makes it -1; -1 is none. */
void sc_wire_close(int *fd);

SC_AUTO_DEFINE_VALUE(sc_wire_in, sc_wire_drop);

#endif
