/* Checks the installation and the machine, one line a check, with what to do about it. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "box/box.h"
#include "cli/command.h"
#include "cli/help.h"
#include "fmt/weights.h"
#include "hub/name.h"
#include "hub/places.h"
#include "kern/cpu.h"
#include "measure/env.h"
#include "measure/memory.h"
#include "task/suite.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef enum level { GOOD, NOTE, BAD } level;

/* The report while it is written. */
typedef struct doctor {
    sc_cli *cli;
    unsigned n[3];
    json_t *env;  // borrowed
    sc_code code; // of writing
    sc_err *err;  // borrowed
} doctor;

static const char *const words[] = {"ok", "note", "fail"};

/* One finding; `hint` (may be NULL) says what to do. */
SC_PRINTF(5, 6)
static void say(doctor *d, level l, const char *what, const char *hint, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); // cut at the end when longer
    va_end(args);
    d->n[l]++;
    if (d->code != SC_OK)
        return;
    if (sc_cli_json(d->cli)) {
        SC_AUTO_JSON *line =
            json_pack("{s:s, s:s, s:o, s:o}", "check", what, "status", words[l], "detail",
                      sc_json_text(sc_str_c(text)), "hint", hint ? json_string(hint) : json_null());
        d->code = sc_cli_put_json(d->cli, line, d->err);
        return;
    }
    static const sc_style styles[] = {SC_GREEN, SC_YELLOW, SC_RED};
    FILE *out = d->cli->out;
    (void)fprintf(out, "%s%-4s%s  %-12s  ", sc_ui_out(&d->cli->ui, styles[l]), words[l],
                  sc_ui_out(&d->cli->ui, SC_PLAIN), what); // main asks ferror once
    sc_ui_put_text(out, sc_str_c(text));
    (void)fputc('\n', out);
    if (hint)
        (void)fprintf(out, "%20s%s\n", "", hint);
}

/* The suites that are built in: every task whole, no name twice (the reader refuses that). */
static void check_suites(doctor *d)
{
    static const struct {
        const char *name;
        size_t n;
    } suites[] = {{"core", 8}, {"challenges", 3}, {"builtin", 11}};
    for (size_t i = 0; i < SC_LEN(suites); i++) {
        sc_err err = {0};
        SC_AUTO(sc_suite) *s = NULL;
        if (sc_suite_open(suites[i].name, &s, &err) != SC_OK) {
            say(d, BAD, "tasks", NULL, "%s: %s", suites[i].name, err.msg);
            continue;
        }
        size_t n = 0;
        const sc_task *t = sc_suite_tasks(s, &n);
        size_t whole = 0;
        for (size_t k = 0; k < n; k++)
            whole += t[k].name.n && t[k].prompt.n && t[k].description.n && t[k].n_keywords;
        const bool right = n == suites[i].n && whole == n;
        say(d, right ? GOOD : BAD, "tasks", NULL,
            "%s: %zu tasks, %zu of them with name, prompt, keywords and description",
            suites[i].name, n, whole);
    }
}

static void check_comparison_models(doctor *d)
{
    static const char *const names[] = {"codellama-7b", "codegen-350m", "starcoder-1b"};
    for (size_t i = 0; i < SC_LEN(names); i++) {
        const char *repo = sc_hub_name_of_short(sc_str_c(names[i]));
        say(d, repo ? GOOD : BAD, "comparison", NULL, "%s is %s", names[i],
            repo ? repo : "unknown");
    }
}

/* Every command has a help that can be shown, and the reference as a whole can be made. */
static void check_help(doctor *d)
{
    size_t n = 0;
    size_t empty = 0;
    for (const sc_cmd *const *c = sc_cmds; *c; c++) {
        SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
        sc_help_command(*c, true, &text);
        n++;
        empty += !sc_buf_ok(&text) || text.n == 0 || !(*c)->summary;
    }
    SC_AUTO(sc_buf) man = sc_buf_init(1 << 22);
    sc_help_man(&man);
    say(d, empty || man.n == 0 ? BAD : GOOD, "help", NULL,
        "%zu commands, %zu without help; the manual page has %zu bytes", n, empty, man.n);
}

static void check_cpu(doctor *d)
{
    sc_cpu_facts facts;
    sc_cpu_facts_get(&facts);
    const unsigned levels = sc_cpu_levels();
    say(d, levels ? GOOD : NOTE, "cpu",
        levels ? NULL : "without AVX2 the plain C kernels run: right, but slow",
        "%s, %u CPUs usable, kernels %s", facts.name[0] ? facts.name : "unknown processor",
        sc_pool_cpus(), sc_cpu_name(levels));
}

static void check_memory(doctor *d)
{
    sc_system_memory m = {0};
    sc_err err = {0};
    if (sc_system_memory_read(&m, &err) != SC_OK) {
        say(d, NOTE, "memory", NULL, "%s", err.msg);
        return;
    }
    const double gib = 1024.0 * 1024.0 * 1024.0;
    const bool little = m.available < 1ull << 30;
    say(d, little ? NOTE : GOOD, "memory",
        little ? "models of more than a few 100 MB will be refused" : NULL,
        "%.1f GiB, %.1f GiB available", (double)m.total / gib, (double)m.available / gib);
}

/* What would make figures less trustworthy. */
static void check_quiet(doctor *d)
{
    sc_err err = {0};
    SC_AUTO_JSON *list = NULL;
    if (sc_env_warnings(d->env, &list, &err) != SC_OK)
        return;
    size_t i = 0;
    json_t *w = NULL;
    json_array_foreach(list, i, w) say(d, NOTE, "quiet", NULL, "%s", json_string_value(w));
    if (json_array_size(list) == 0)
        say(d, GOOD, "quiet", NULL, "nothing that disturbs measurements was found");
}

static void check_system(doctor *d)
{
    const json_t *kernel = json_object_get(d->env, "kernel");
    const json_t *os = json_object_get(d->env, "os");
    say(d, GOOD, "system", NULL, "%s%s%s",
        json_is_string(os) ? json_string_value(os) : "unknown system",
        json_is_string(kernel) ? ", " : "",
        json_is_string(kernel) ? json_string_value(kernel) : "");
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        say(d, files.rlim_cur >= 256 ? GOOD : NOTE, "limits",
            files.rlim_cur >= 256 ? NULL : "raise it: ulimit -n 1024", "%llu open files at most",
            (unsigned long long)files.rlim_cur);
}

static void check_output(doctor *d)
{
    const char *dir = ".";
    struct statvfs fs;
    if (access(dir, W_OK) != 0) {
        say(d, NOTE, "output", "give another folder with --output-dir", "the current folder: %s",
            strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
        return;
    }
    const bool known = statvfs(dir, &fs) == 0;
    const double mib = known ? (double)fs.f_bavail * (double)fs.f_frsize / (1 << 20) : 0;
    say(d, !known || mib > 64 ? GOOD : NOTE, "output", NULL,
        "reports can be written here, %.0f MiB free", mib);
}

static void check_cache(doctor *d)
{
    const sc_hub_env env = sc_hub_env_real();
    SC_AUTO(sc_hub_places) p = {0};
    sc_err err = {0};
    if (sc_hub_places_init(&p, &env, &err) != SC_OK) {
        say(d, NOTE, "hub cache", NULL, "%s", err.msg);
        return;
    }
    say(d, GOOD, "hub cache", NULL, "%s%s; %s; %s", p.cache,
        sc_file_is_dir(p.cache) ? "" : " (not there yet)",
        p.offline ? "offline" : "downloads only with --pull missing",
        p.token ? "a token is set" : "no token");
}

/* The folder of this program with `rest` behind it, on the heap; NULL when it cannot be told. */
static char *beside_program(const char *rest)
{
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return NULL;
    self[n] = '\0';
    char *dir = sc_path_dir(self);
    char *path = dir ? sc_path_join(dir, rest) : NULL;
    sc_free(dir);
    return path;
}

static void check_default_model(doctor *d)
{
    static const char here[] = "models/nano/nano.pt";
    char *near = beside_program("../models/nano/nano.pt");
    const char *path = sc_file_is_file(here) ? here : near && sc_file_is_file(near) ? near : NULL;
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    size_t n = 0;
    if (!path) {
        say(d, NOTE, "model", "run from a clone of the project, or name a model of your own",
            "%s, the default model, was not found", here);
    } else if (sc_weights_open(path, &w, &err) != SC_OK) {
        say(d, BAD, "model", NULL, "%s", err.msg);
    } else {
        (void)sc_weights_tensors(w, &n);
        say(d, GOOD, "model", NULL, "%s: %zu tensors", path, n);
    }
    sc_free(near);
}

/* The sandbox opens only at a level whose locks have just held against its own attacks. */
static void check_sandbox(doctor *d)
{
    sc_err err = {0};
    SC_AUTO(sc_box) *box = NULL;
    if (sc_box_open(&(sc_box_opts){.jobs = 1}, &box, &err) != SC_OK) {
        say(d, NOTE, "sandbox", "without it no generated code is run", "%s", err.msg);
        return;
    }
    const char *why = sc_box_level_why(box);
    const char *python = sc_box_python(box);
    say(d, *why ? NOTE : GOOD, "sandbox", *why ? why : NULL, "level %s, Python %.*s",
        sc_box_level_name(sc_box_level_of(box)), (int)strcspn(python, " "), python);
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO_JSON *env = NULL;
    SC_TRY(sc_env_capture(&env, err));
    doctor d = {.cli = cli, .env = env, .err = err};
    check_system(&d);
    check_cpu(&d);
    check_memory(&d);
    check_quiet(&d);
    check_suites(&d);
    check_comparison_models(&d);
    check_help(&d);
    check_default_model(&d);
    check_sandbox(&d);
    check_cache(&d);
    check_output(&d);
    SC_TRY(d.code);
    if (!sc_cli_json(cli)) {
        if (d.n[BAD])
            (void)fprintf(cli->out, "\nValidations that failed: %u; notes: %u.\n", d.n[BAD],
                          d.n[NOTE]);
        else
            (void)fprintf(cli->out,
                          "\nAll validations passed; notes: %u. Next: scbench --checkpoint "
                          "models/nano/nano.pt\n",
                          d.n[NOTE]); // main asks ferror once
    }
    cli->status = d.n[BAD] ? SC_EXIT_FAILED : SC_EXIT_OK;
    return SC_OK;
}

const sc_cmd sc_cmd_doctor = {
    .name = "doctor",
    .summary = "check the installation and this machine",
    .about = "Looks at the system, the processor and its kernels, memory, whatever disturbs "
             "measurements, the built-in tasks, the "
             "comparison models, the help, the default model, the program that runs generated "
             "code, the Hugging Face cache and the "
             "current folder. Each line is ok, note or fail; a note does not stop anything. The "
             "exit code is 1 when a check failed.",
    .examples = "scbench doctor\nscbench doctor --json\n",
    .options = "json",
    .run = run,
};
