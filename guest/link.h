/**
 * link.h - frames on the stream socket between a sample and the checker (or the supervisor).
 *
 * A frame is its length (u32), a kind byte, and that many bytes. The sample's end is hostile: a
 * length beyond SC_WIRE_FRAME_MAX or a stream that ends inside a frame breaks the link for good.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_LINK_H
#define SC_GUEST_LINK_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/** Kinds of frame; capital letters come from the sample. */
enum sc_link_kind {
    SC_LINK_CALL = 'c',      // i64 handle, value (args, kwargs)
    SC_LINK_NAME = 'n',      // value: the name of a global of the solution
    SC_LINK_OP = 'o',        // u8 operation, i64 handle, value: tuple of operands
    SC_LINK_ANSWER = 'a',    // value: what a callback gave
    SC_LINK_RAISE = 'r',     // value: (class, arguments)
    SC_LINK_READY = 'R',     // all locks hold; nothing of the sample has run
    SC_LINK_LOADED = 'L',    // value: the entry point, or None
    SC_LINK_VALUE = 'V',     // value: (result, args, kwargs) of a call, (result,) else
    SC_LINK_EXCEPTION = 'X', // u8 flags, i32 line, value (class, args, message, attributes, itself
                             // if its text is its own, of a call the arguments as they are now)
    SC_LINK_CALLBACK = 'K',  // i64 callback, value (args, kwargs)
    SC_LINK_DONE = 'D',      // 16 bytes nonce, u8 outcome, i32 line, value (type, message)
    SC_LINK_TOO_BIG = 'B',   // the result is beyond the codec's bounds
    SC_LINK_JAIL = 'J',      // text: which lock did not hold; only before READY
};

enum { // flags of an exception
    SC_X_SYNTAX = 1,
    SC_X_MEMORY = 2,
};

typedef struct sc_link {
    int fd; // borrowed
    bool broken;
    size_t have; // bytes in `ahead`
    size_t at;   // of them used
    char ahead[16384];
} sc_link;

void sc_link_init(sc_link *l, int fd);

/** Sends a frame; false when the other end is gone. */
bool sc_link_send(sc_link *l, char kind, sc_str body);

/** Receives a frame into `body` (cleared first); false at the end of the stream or on a bad frame.
 */
bool sc_link_recv(sc_link *l, char *kind, sc_buf *body);

#endif
