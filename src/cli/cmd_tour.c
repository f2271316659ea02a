/* Five guided examples: each shows its command, says what it does, runs it, explains the result. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_WORDS = 16 };

typedef struct scene {
    const char *title;
    const char *what; // before
    const char *then; // after
    const char
        *word[MAX_WORDS]; // of the command line behind the program's name; "@" is the checkpoint
} scene;

static const scene scenes[] = {
    {"Basic SmallCoder Benchmark",
     "Loads one checkpoint, lets it complete the eight core tasks and scores the completions. "
     "--device cuda is the original's\n"
     "default; on a machine without it the line 'CUDA not available, using CPU' says so and the "
     "run goes on.",
     "The table shows the share of expected keywords that were found, and the speed. Everything is "
     "also in the output folder: the\n"
     "original's two files, and a run folder with every sample.",
     {"--checkpoint", "@", "--device", "cuda"}},
    {"Compare with Other Models",
     "The same tasks for the checkpoint and for two models of the Hugging Face hub. They are taken "
     "from the local cache; nothing is\n"
     "downloaded unless --pull missing is given. A model that cannot be had is skipped, and the "
     "reason is said.",
     "Models that ran stand side by side in the comparison file; skipped ones are named with the "
     "reason.",
     {"--checkpoint", "@", "--compare", "--comparison-models", "codegen-350m", "starcoder-1b",
      "--device", "cuda"}},
    {"Extended Coding Challenges",
     "Adds three harder prompts (a palindrome check, merge sort, a linked list) to the eight core "
     "tasks.",
     "Eleven tasks: the score over all of them is the one to compare between checkpoints.",
     {"--checkpoint", "@", "--include-challenges", "--device", "cuda"}},
    {"CPU-Only Benchmark",
     "Asks for the CPU by name and leaves the memory measurement out.",
     "memory_stats is {} in the result file, as the original has it with --skip-memory-test.",
     {"--checkpoint", "@", "--device", "cpu", "--skip-memory-test"}},
    {"Full Comparison Suite",
     "All three comparison models of the original and all eleven tasks. This is the long one where "
     "the models are in the cache.",
     "The key findings at the end of the comparison file name the best accuracy, speed and memory.",
     {"--checkpoint", "@", "--compare", "--comparison-models", "codellama-7b", "codegen-350m",
      "starcoder-1b", "--include-challenges"}},
};

/* Puts the command of `s` into argv: the program, its words, the output folder. */
static void command_of(const scene *s, const char *program, const char *checkpoint, const char *dir,
                       const char **argv)
{
    size_t n = 0;
    argv[n++] = program;
    for (size_t i = 0; i < MAX_WORDS && s->word[i]; i++)
        argv[n++] = strcmp(s->word[i], "@") == 0 ? checkpoint : s->word[i];
    argv[n++] = "--output-dir";
    argv[n++] = dir;
    argv[n] = NULL;
}

static sc_code run_command(const char *self, const char *const *argv, int *status, sc_err *err)
{
    char *copy[MAX_WORDS + 4] = {NULL};
    sc_code code = SC_OK;
    for (size_t i = 0; argv[i] && code == SC_OK; i++) {
        copy[i] = sc_strdup(argv[i]);
        if (!copy[i])
            code = sc_fail_nomem(err);
    }
    if (code == SC_OK) {
        pid_t pid = 0;
        const int why = posix_spawn(&pid, self, NULL, NULL, copy, environ);
        if (why != 0)
            code = sc_fail_sys(err, SC_E_IO, why, "%s", self);
        else
            while (waitpid(pid, status, 0) < 0 && errno == EINTR)
                ; // Ctrl-C reaches the child too; it ends and we see how
    }
    for (size_t i = 0; copy[i]; i++)
        sc_free(copy[i]);
    return code;
}

static void introduce(const sc_cli *cli, const scene *s, size_t i, const char *const *argv)
{
    FILE *out = cli->out;
    (void)fprintf(out, "%s%zu of %zu: %s%s\n\n%s\n\n  $ scbench", sc_ui_out(&cli->ui, SC_BOLD),
                  i + 1, SC_LEN(scenes), s->title, sc_ui_out(&cli->ui, SC_PLAIN), s->what);
    for (size_t k = 1; argv[k]; k++)
        (void)fprintf(out, " %s", argv[k]);
    (void)fprintf(out, "\n\n");
    (void)fflush(out); // the child writes to the same stream; main asks ferror once
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_args *args = cli->args;
    const char *given = sc_args_text(args, "checkpoint");
    const char *checkpoint = given ? given : "models/nano/nano.pt";
    const char *dir = sc_args_text(args, "output-dir");
    const bool really = sc_args_flag(args, "run-all");
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return sc_fail_sys(err, SC_E_IO, errno, "/proc/self/exe");
    self[n] = '\0';
    if (really && !sc_file_is_file(checkpoint))
        return sc_fail(err, SC_E_NOTFOUND,
                       "%s is not there; run the tour from a clone of the project or name a "
                       "checkpoint with --checkpoint",
                       checkpoint);
    for (size_t i = 0; i < SC_LEN(scenes); i++) {
        const char *argv[MAX_WORDS + 4];
        command_of(&scenes[i], "scbench", checkpoint, dir, argv);
        introduce(cli, &scenes[i], i, argv);
        if (really) {
            int status = 0;
            SC_TRY(run_command(self, argv, &status, err));
            if (atomic_load(&cli->signals->stop) ||
                (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT))
                return sc_fail(err, SC_E_INTERRUPTED, "the tour was stopped at example %zu", i + 1);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                cli->status = SC_EXIT_FAILED;
                (void)fprintf(cli->out, "\nThis command failed; the tour goes on.\n");
            }
        }
        (void)fprintf(cli->out, "%s%s\n\n", really ? "\n" : "", scenes[i].then);
    }
    (void)fprintf(cli->out, "More: scbench help, docs/USAGE.md. The reports are in %s.\n", dir);
    return SC_OK;
}

const sc_cmd sc_cmd_tour = {
    .name = "tour",
    .summary = "five guided examples",
    .about = "Shows five commands of growing reach, says what each does, runs it and explains the "
             "result. --no-run only shows them.",
    .examples = "scbench tour\nscbench tour --checkpoint my.pt --no-run\n",
    .options = "checkpoint output-dir run-all",
    .run = run,
};
