// SPDX-License-Identifier: MIT
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/command.h"
#include "cli/find.h"
#include "cli/run_config.h"
#include "eval/ask.h"
#include "store/record.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PROMPT = 64 << 20, MAX_LINE = 1 << 20 };

/* A session: a model and how it is asked. */
typedef struct session {
    sc_cli *cli;
    sc_engine *engine;      // owned
    sc_ask *ask;            // owned
    sc_buf suffix;          // owned
    sc_gen_request request; // what every prompt shares
    sc_run_config config;   // owned: the texts of the options
    uint64_t run_seed;
    uint32_t number; // of the prompt, from 0
    bool streams;    // pieces are printed as they come
    uint32_t open;   // which sample is being printed
} session;

static void on_piece(void *ctx, const sc_gen_request *r, uint32_t sample, sc_str piece)
{
    session *s = ctx;
    (void)r;
    (void)sample;
    if (!s->streams)
        return;
    sc_ui_put_text(s->cli->out, piece);
    (void)fflush(s->cli->out); // main asks ferror once
}

static json_t *result_json(const session *s, const sc_gen_result *r)
{
    json_t *ids = json_array();
    for (size_t i = 0; ids && i < r->n_ids; i++)
        (void)json_array_append_new(ids, json_integer(r->ids[i])); // json_pack looks at NULL
    const double last = r->n_ids ? (double)r->token_ns[r->n_ids - 1] * 1e-9 : 0;
    const double first = r->n_ids ? (double)r->token_ns[0] * 1e-9 : 0;
    return json_pack("{s:I, s:I, s:I, s:o, s:s, s:I, s:I, s:o, s:f, s:f, s:f}", "prompt",
                     (json_int_t)s->number, "sample", (json_int_t)r->sample, "seed",
                     (json_int_t)r->seed, "completion", sc_json_text(r->text), "finish_reason",
                     sc_finish_name(r->finish), "n_prompt", (json_int_t)r->request->n_prompt,
                     "n_out", (json_int_t)r->n_ids, "ids", ids, "ttft", first, "t_prefill",
                     (double)r->prefill_ns * 1e-9, "t_wall", last);
}

static sc_code on_done(void *ctx, const sc_gen_result *r, sc_err *err)
{
    session *s = ctx;
    if (r->finish == SC_FINISH_ERROR) {
        *err = *r->error;
        return r->error->code;
    }
    if (sc_cli_json(s->cli)) {
        if (r->finish == SC_FINISH_INTERRUPTED)
            return SC_OK;
        SC_AUTO_JSON *v = result_json(s, r);
        return sc_cli_put_json(s->cli, v, err);
    }
    if (!s->streams) {
        (void)fprintf(s->cli->out, "--- sample %u, seed %llu\n", r->sample,
                      (unsigned long long)r->seed);
        sc_ui_put_text(s->cli->out, r->text);
    }
    (void)fputc('\n', s->cli->out);
    (void)fflush(s->cli->out); // main asks ferror once
    if (r->n_ids > 1) {
        const double first = (double)r->token_ns[0] * 1e-9;
        const double last = (double)r->token_ns[r->n_ids - 1] * 1e-9;
        sc_ui_note(&s->cli->ui,
                   "%zu tokens of prompt, %zu new (%s), first after %.1f ms, then %.1f tok/s, "
                   "seed %llu",
                   r->request->n_prompt, r->n_ids, sc_finish_name(r->finish), first * 1e3,
                   (double)(r->n_ids - 1) / (last - first), (unsigned long long)r->seed);
    }
    return SC_OK;
}

static sc_code complete(session *s, sc_str prompt, sc_err *err)
{
    SC_AUTO(sc_asked) asked = {0};
    SC_TRY(sc_ask_text(s->ask, prompt, sc_buf_str(&s->suffix), &asked, err));
    const uint32_t n = s->config.opts.samples;
    uint64_t *seeds = sc_alloc(n, sizeof *seeds);
    if (!seeds)
        return sc_fail_nomem(err);
    for (uint32_t i = 0; i < n; i++) // 53 bits: every JSON reader keeps them
        seeds[i] = sc_rng_sample_seed(s->run_seed, s->number, i) >> 11;
    sc_gen_request r = s->request;
    r.prompt = asked.ids.p;
    r.n_prompt = asked.ids.n;
    r.seeds = seeds;
    r.n_samples = n;
    const sc_gen_sink sink = {.piece = on_piece, .done = on_done, .ctx = s};
    const sc_code code = sc_gen_run(s->engine->gen, &r, 1, &sink, &s->cli->signals->stop, err);
    sc_free(seeds);
    s->number++;
    if (code == SC_E_INTERRUPTED)
        err->msg[0] = '\0'; // what came is on the screen: nothing to add
    return code;
}

/* Waits for input in a way that a signal ends. */
static sc_code wait_input(const session *s, sc_err *err)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!atomic_load(&s->cli->signals->stop)) {
        const int n = poll(&p, 1, 200);
        if (n > 0)
            return SC_OK;
        if (n < 0 && errno != EINTR)
            return sc_fail_sys(err, SC_E_IO, errno, "standard input");
    }
    return sc_fail(err, SC_E_INTERRUPTED, "%s", "");
}

/* Prompts, one a line; \n in a line is a new line of the prompt. */
static sc_code interact(session *s, sc_err *err)
{
    SC_AUTO(sc_buf) line = sc_buf_init(MAX_LINE);
    SC_AUTO(sc_buf) prompt = sc_buf_init(MAX_LINE);
    const bool person = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (person)
        sc_ui_note(&s->cli->ui, "One prompt a line (\\n is a new line); Ctrl-D ends.");
    for (bool end = false; !end;) {
        if (person)
            (void)fputs("> ", stderr); // a courtesy
        sc_buf_clear(&line);
        char c = 0;
        ssize_t n = 0;
        for (;;) {
            SC_TRY(wait_input(s, err));
            n = read(STDIN_FILENO, &c, 1);
            if (n <= 0 || c == '\n')
                break;
            sc_buf_add_char(&line, c);
        }
        end = n <= 0;
        if (!sc_buf_ok(&line))
            return sc_fail(err, SC_E_LIMIT, "a prompt is longer than %d bytes", MAX_LINE);
        if (line.n == 0)
            continue;
        sc_buf_clear(&prompt);
        SC_TRY(sc_run_unescape(line.p, &prompt, err));
        SC_TRY(complete(s, sc_buf_str(&prompt), err));
    }
    return SC_OK;
}

static sc_code open_session(session *s, sc_err *err)
{
    const sc_eval_opts *o = &s->config.opts;
    if (o->n_models != 1)
        return sc_fail(err, SC_E_USAGE, "give one model with --model");
    sc_engine_opts opts = o->engine;
    opts.model.stop = &s->cli->signals->stop;
    const sc_hub_pull_opts how = sc_cli_pull_opts(s->cli);
    opts.how = &how;
    opts.pull = sc_cli_pull_when(s->cli);
    SC_TRY(sc_engine_open_local(&o->models[0], &opts, &s->engine, err));
    const sc_ask_opts ask = {&sc_protocol_scbench, o->prompt_mode, o->system, NULL};
    SC_TRY(sc_ask_new(&ask, s->engine, &s->ask, err));
    const sc_prompt_mode mode = sc_ask_mode(s->ask);
    sc_ui_note(&s->cli->ui, "prompt mode %s: %s", sc_prompt_mode_name(mode), sc_ask_why(s->ask));
    const char *suffix = sc_args_text(s->cli->args, "suffix");
    if (suffix && mode != SC_PROMPT_FIM)
        return sc_fail(err, SC_E_USAGE, "--suffix is for --prompt-mode fim");
    if (suffix)
        SC_TRY(sc_run_unescape(suffix, &s->suffix, err));
    s->run_seed = o->seed;
    s->streams = o->samples == 1 && !sc_cli_json(s->cli);
    s->request = (sc_gen_request){
        .name = "prompt",
        .max_tokens = o->max_tokens ? o->max_tokens : sc_protocol_seed.form[0][0].max_tokens,
        .may_clip = true,
        .params = o->params,
        .stop_texts = o->stops,
        .n_stop_texts = o->n_stops,
    };
    s->request.stop_ids = sc_ask_stop_ids(s->ask, &s->request.n_stop_ids);
    s->request.params.rule = s->engine->rule;
    return SC_OK;
}

static sc_code run_session(session *s, sc_err *err)
{
    const sc_args *a = s->cli->args;
    const char *text = sc_args_text(a, "prompt"), *file = sc_args_text(a, "prompt-file");
    if (!text && !file && sc_args_n(a) == 1)
        text = sc_args_at(a, 0);
    const int given = (text != NULL) + (file != NULL) + sc_args_flag(a, "interactive");
    if (given != 1)
        return sc_fail(err, SC_E_USAGE, "give one of --prompt, --prompt-file and --interactive");
    SC_AUTO(sc_buf) prompt = sc_buf_init(MAX_PROMPT);
    if (file)
        SC_TRY(sc_file_read(file, MAX_PROMPT, &prompt, err));
    if (file && prompt.n == 0)
        return sc_fail(err, SC_E_FORMAT, "%s: is empty", file);
    SC_TRY(open_session(s, err));
    if (sc_args_flag(a, "interactive"))
        return interact(s, err);
    return complete(s, file ? sc_buf_str(&prompt) : sc_str_c(text), err);
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    session s = {.cli = cli, .suffix = sc_buf_init(MAX_PROMPT)};
    json_t *doc = NULL;
    SC_TRY(sc_run_config_doc(cli, &doc, err));
    SC_TRY(sc_run_config_take(doc, &s.config, err));
    const sc_code code = run_session(&s, err);
    sc_ask_free(s.ask);
    sc_buf_drop(&s.suffix);
    sc_engine_close(s.engine);
    sc_run_config_drop(&s.config);
    return code;
}

const sc_cmd sc_cmd_generate = {
    .name = "generate",
    .args = "[PROMPT]",
    .summary = "complete one prompt, or many in turn",
    .about = "Completes a prompt and prints the text as it comes. The prompt is given as an "
             "argument, with --prompt, in a file, or line by line with --interactive.\n"
             "\n"
             "Sampling is the original's: temperature 0.7, top-k 50, top-p 0.9, at most 150 new "
             "tokens. A model with a chat template gets the prompt as a message in it, unless "
             "--prompt-mode says otherwise. The seed of each sample is printed: the same seed "
             "gives the same text.\n",
    .examples = "scbench generate -m models/nano/nano.pt 'def add(a, b):'\n"
                "scbench generate -m models/nano/nano.pt -f prompt.py --greedy --stop '\\ndef'\n"
                "scbench generate -m models/nano/nano.pt -i\n",
    .options = "model name tokenizer device threads cpu compute ctx kv-type pull prompt "
               "prompt-file suffix "
               "interactive prompt-mode system samples max-tokens temperature top-k top-p min-p "
               "repeat-penalty greedy "
               "seed stop batch json",
    .max_args = 1,
    .run = run,
};
