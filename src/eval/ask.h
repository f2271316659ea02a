/**
 * ask.h - what a model is given for a task: raw prompt, chat template, or fill-in-the-middle.
 *
 * A protocol (task/protocol.h) says the words, the model's files say how a conversation or a gap is
 * written. Chat templates are rendered by Jinja2 itself, in the sandbox of the tools; special
 * tokens in the rendered text count, and nothing is added around it. `strftime_now` of a template
 * is fixed at 26 July 2024, so that a run can be resumed and repeated on another day.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_EVAL_ASK_H
#define SC_EVAL_ASK_H

#include "box/box.h"
#include "eval/engine.h"
#include "task/protocol.h"

/** All-zero: raw prompts of seed@1. Texts are borrowed until sc_ask_free. */
typedef struct sc_ask_opts {
    const sc_protocol *protocol; // NULL: seed@1
    sc_prompt_mode mode;
    const char *system;   // a message before the user's; NULL: none
    const char *data_dir; // where MBPP's examples are looked for; NULL: the usual places
} sc_ask_opts;

typedef struct sc_ask sc_ask;

/** One request, ready for a model. */
typedef struct sc_asked {
    const sc_form *form; // of the protocol
    sc_buf text;         // what became tokens, special tokens spelt out
    sc_buf plain;        // the prompt itself, before any template: what a program may begin with
    sc_buf begins;       // chat: the beginning of the answer that the model is given
    sc_ids ids;          // none without an engine
    uint32_t max_tokens; // of the form, less where the whole has a limit
} sc_asked;

void sc_asked_drop(sc_asked *a);

/**
 * Chooses the mode for the model of `e` (borrowed) and makes ready what it needs. Without an
 * engine prompts are only written, before any template, and a mode must be given.
 *
 * Owns:   the caller frees *out.
 * Errors: SC_E_USAGE when the mode asked for is not possible with this model; SC_E_SANDBOX when
 *         templates cannot be rendered; SC_E_NOMEM
 */
sc_code sc_ask_new(const sc_ask_opts *opts, const sc_engine *e, sc_ask **out,
                   sc_err *err) SC_CHECKED;
void sc_ask_free(sc_ask *a);

/** Base, chat or fim; and in a sentence why. Borrowed until sc_ask_free. */
sc_prompt_mode sc_ask_mode(const sc_ask *a);
const char *sc_ask_why(const sc_ask *a);

/** The ids that end a text: the engine's, and in chat what the template puts behind an answer. */
const int32_t *sc_ask_stop_ids(const sc_ask *a, size_t *n);

/**
 * What the model gets for the task.
 *
 * Owns:   the caller drops *out with sc_asked_drop.
 * Errors: SC_E_USAGE when the protocol has no form for such a task; SC_E_FORMAT when the template
 *         refuses or the tokenizer is not the model's; SC_E_NOTFOUND without the examples' data;
 *         SC_E_SANDBOX, SC_E_NOMEM
 */
sc_code sc_ask_task(sc_ask *a, const sc_task *t, sc_asked *out, sc_err *err) SC_CHECKED;

/** As above, of any text; `suffix` is what stands behind the gap in fim mode. */
sc_code sc_ask_text(sc_ask *a, sc_str prompt, sc_str suffix, sc_asked *out, sc_err *err) SC_CHECKED;

/** A box with tools, opened on first use; borrowed until sc_ask_free. Errors: as sc_box_open */
sc_code sc_ask_tools(sc_ask *a, sc_box **out, sc_err *err) SC_CHECKED;

SC_AUTO_DEFINE(sc_ask, sc_ask_free);
SC_AUTO_DEFINE_VALUE(sc_asked, sc_asked_drop);

#endif
