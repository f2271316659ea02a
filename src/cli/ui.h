/**
 * ui.h - the terminal: colour, width, progress, and text that may be hostile.
 *
 * Progress, notes and warnings go to stderr; results go to cli->out. Colour is off unless the
 * stream is a terminal (NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM=dumb and --color are heeded) and
 * never the only signal.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_UI_H
#define SC_CLI_UI_H

#include "base/attr.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum sc_progress {
    SC_PROGRESS_AUTO, // bar on a terminal, plain elsewhere
    SC_PROGRESS_BAR,
    SC_PROGRESS_PLAIN,
    SC_PROGRESS_JSON,
    SC_PROGRESS_NONE,
} sc_progress;

typedef struct sc_ui {
    bool out_color, err_color;
    bool utf8;        // glyphs beyond ASCII may be used
    bool quiet;       // no progress, no notes
    unsigned verbose; // 1: a line a sample; 2: debugging
    unsigned width;   // columns of the terminal on stderr, 80 when it is none
    sc_progress progress;
    bool line_open;      // a redrawn line stands on the terminal
    uint64_t drawn_ns;   // when progress was last drawn
    uint64_t drawn_done; // and how far it was then
} sc_ui;

typedef enum sc_style { SC_PLAIN, SC_BOLD, SC_DIM, SC_RED, SC_GREEN, SC_YELLOW, SC_CYAN } sc_style;

typedef struct sc_ui_opts {
    const char *color;    // auto, always, never
    const char *progress; // auto, bar, plain, json, none
    bool ascii, quiet;
    unsigned verbose;
} sc_ui_opts;

/** Looks at the environment and the two streams. Needs: the locale is set. */
void sc_ui_init(sc_ui *ui, const sc_ui_opts *opts);

/** The escape sequence that starts `s` on stdout ("" without colour); SC_PLAIN ends it. */
const char *sc_ui_out(const sc_ui *ui, sc_style s);
/** As above for stderr. */
const char *sc_ui_err(const sc_ui *ui, sc_style s);

/** A line on stderr unless --quiet. */
void sc_ui_note(sc_ui *ui, const char *fmt, ...) SC_PRINTF(2, 3);
/** A line "warning: ..." on stderr, --quiet or not. */
void sc_ui_warn(sc_ui *ui, const char *fmt, ...) SC_PRINTF(2, 3);
/** The line "scbench: error: ..." on stderr. */
void sc_ui_error(sc_ui *ui, const char *msg);

/**
 * Shows the state of a long job: one redrawn line on a terminal, at most ten times a second; else
 * a full line every ten seconds or ten percent, whichever is later. `done` of `total` steps.
 */
void sc_ui_progress(sc_ui *ui, uint64_t now_ns, uint64_t done, uint64_t total, const char *text);
/** Removes the redrawn line, so that other text may follow. */
void sc_ui_progress_end(sc_ui *ui);

/**
 * Writes text that a model or a file gave: new lines and tabs stay, other control characters and
 * ill-formed bytes are shown as \xNN, so that it cannot drive the terminal.
 */
void sc_ui_put_text(FILE *to, sc_str text);

/** Asks a terminal for its width; 0 when `fd` is none. */
unsigned sc_ui_columns(int fd);

#endif
