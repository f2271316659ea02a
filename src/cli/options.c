// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MODELS  "Models"
#define TASKS   "Tasks"
#define GEN     "Generation"
#define MEASURE "Measuring"
#define OUTPUT  "Output"
#define GENERAL "General"
#define EXEC    "Execution"
#define SEED    "As the original benchmark"
#define SPEED   "Speed tests"

enum { MAX_INT = 1 << 30 };

static const sc_opt table[] = {
    {"model", NULL, 'm', SC_OPT_LIST, "MODEL", NULL, NULL, 0, 0, MODELS,
     "model to load: a .pt, .safetensors or .gguf file, a Hugging Face folder, or org/name from "
     "the "
     "cache; more than one may be given"},
    {"name", NULL, 0, SC_OPT_LIST, "LABEL", NULL, NULL, 0, 0, MODELS,
     "label of the model in reports; the first belongs to the first model, and so on"},
    {"tokenizer", NULL, 0, SC_OPT_TEXT, "PATH|ORG/NAME", NULL, NULL, 0, 0, MODELS,
     "tokenizer.json, a folder that has one, or a name in the cache; by default the one beside the "
     "model"},
    {"device", NULL, 0, SC_OPT_CHOICE, "DEVICE", "auto", "auto|cpu|cuda", 0, 0, MODELS,
     "where to compute"},
    {"threads", NULL, 0, SC_OPT_INT, "N", NULL, NULL, 1, 256, MODELS,
     "threads; by default one for every CPU this process may use"},
    {"cpu", NULL, 0, SC_OPT_CHOICE, "LEVEL", NULL, "ref|avx2|avx512", 0, 0, MODELS,
     "highest level of kernels; by default the best of this machine"},
    {"compute", NULL, 0, SC_OPT_CHOICE, "MODE", "auto", "auto|f32|bf16|int8", 0, 0, MODELS,
     "what activations are rounded to before a matrix product"},
    {"ctx", NULL, 0, SC_OPT_INT, "N", NULL, NULL, 1, MAX_INT, MODELS,
     "room for tokens in a sequence; by default what the model was trained for"},
    {"kv-type", NULL, 0, SC_OPT_CHOICE, "TYPE", NULL, "f32|f16|bf16|q8_0", 0, 0, MODELS,
     "type of the key and value cache"},

    {"pull", NULL, 0, SC_OPT_CHOICE, "WHEN", "never", "never|missing", 0, 0, MODELS,
     "whether a model that is neither a file nor in the Hugging Face cache may be downloaded"},
    {"to-type", "type", 0, SC_OPT_TEXT, "TYPE", "f16", NULL, 0, 0, MODELS,
     "type of the matrices to write: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k, "
     "q4_k, q5_k, q6_k, iq4_nl, mxfp4"},
    {"vocab", NULL, 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, MODELS, "write the vocabulary"},
    {"force", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, OUTPUT, "replace a file that exists"},
    {"tokenizer-only", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, MODELS,
     "the configuration and the tokenizer, no weights"},

    {"tasks", NULL, 't', SC_OPT_LIST, "SUITE", NULL, NULL, 0, 0, TASKS,
     "core, challenges, builtin (both), humaneval, mbpp, mbpp-test, mbpp-sanitized, "
     "mbpp-sanitized-test, or a FILE.jsonl of your own; more than one may be given [core]"},
    {"data-dir", NULL, 0, SC_OPT_TEXT, "DIR", NULL, NULL, 0, 0, TASKS,
     "folder of the published data files; by default $SC_DATA, then the user's data folder"},
    {"limit", NULL, 0, SC_OPT_TEXT, "N|P%", NULL, NULL, 0, 0, TASKS,
     "only the first N tasks, or P percent of them"},
    {"ids", NULL, 0, SC_OPT_TEXT, "GLOB", NULL, NULL, 0, 0, TASKS,
     "only tasks whose name fits the pattern, such as '*sort*'"},

    {"prompt", NULL, 'p', SC_OPT_TEXT, "TEXT", NULL, NULL, 0, 0, GEN, "the text to complete"},
    {"prompt-file", NULL, 'f', SC_OPT_TEXT, "FILE", NULL, NULL, 0, 0, GEN,
     "read the text to complete from a file"},
    {"interactive", NULL, 'i', SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN,
     "read prompts from standard input, one a line, until it ends"},
    {"samples", NULL, 'n', SC_OPT_INT, "N", "1", NULL, 1, 100000, GEN, "samples of each task"},
    {"protocol", NULL, 0, SC_OPT_TEXT, "NAME", NULL, NULL, 0, 0, GEN,
     "how tasks are asked for and cleaned: seed, scbench, openai, lm-eval, bigcode, evalplus or "
     "livecodebench (see "
     "scbench help protocols); by default scbench for published suites, else seed"},
    {"prompt-mode", NULL, 0, SC_OPT_CHOICE, "MODE", "auto", "auto|base|chat|fim", 0, 0, GEN,
     "raw prompt, the model's chat template, or its tokens for filling a gap; auto takes the "
     "template where there is one and the protocol has a form for it"},
    {"system", NULL, 0, SC_OPT_TEXT, "TEXT", NULL, NULL, 0, 0, GEN,
     "a system message before the prompt, in chat mode"},
    {"suffix", NULL, 0, SC_OPT_TEXT, "TEXT", NULL, NULL, 0, 0, GEN,
     "what stands behind the gap, in fim mode (\\n and other C escapes are understood)"},
    {"max-tokens", NULL, 0, SC_OPT_INT, "N", NULL, NULL, 1, MAX_INT, GEN,
     "new tokens of a sample at most; by default the protocol's, 150 for seed"},
    {"temperature", NULL, 0, SC_OPT_NUM, "T", NULL, NULL, 0, 100, GEN,
     "divides the logits; 0 is --greedy; by default the protocol's, 0.7 for seed"},
    {"top-k", NULL, 0, SC_OPT_INT, "K", NULL, NULL, 0, MAX_INT, GEN,
     "keep the K likeliest tokens; 0 keeps all; by default the protocol's, 50 for seed"},
    {"top-p", NULL, 0, SC_OPT_NUM, "P", NULL, NULL, 0, 1, GEN,
     "keep the likeliest tokens that together reach P; 1 keeps all; by default the protocol's, 0.9 "
     "for seed"},
    {"min-p", NULL, 0, SC_OPT_NUM, "P", "0", NULL, 0, 1, GEN,
     "drop tokens less likely than P times the likeliest"},
    {"repeat-penalty", NULL, 0, SC_OPT_NUM, "R", "1", NULL, 0.01, 100, GEN,
     "divide the logits of tokens that occurred; 1 is off"},
    {"greedy", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN,
     "always the likeliest token, nothing random"},
    {"seed", NULL, 0, SC_OPT_INT, "N", "1", NULL, 0, 9007199254740991.0, GEN,
     "seed of the run; each sample gets its own from it, and the report records both"},
    {"stop", NULL, 0, SC_OPT_LIST, "TEXT", NULL, NULL, 0, 0, GEN,
     "end a sample before this text (\\n and other C escapes are understood); more than one may be "
     "given"},
    {"batch", NULL, 0, SC_OPT_INT, "N", NULL, NULL, 1, 4096, GEN,
     "sequences decoded together; by default chosen from memory and the number of samples. With 1 "
     "the times of a task are its own"},

    {"ids-list", "ids", 0, SC_OPT_TEXT, "1,2,3|@FILE", NULL, NULL, 0, 0, GEN,
     "token ids, or a file that has them"},
    {"greedy-n", "greedy", 0, SC_OPT_INT, "N", "0", NULL, 0, MAX_INT, GEN,
     "continue with N likeliest tokens"},
    {"hidden", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN,
     "also the state after every layer"},
    {"special", NULL, 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, GEN,
     "add what the tokenizer puts around a text, such as BOS"},
    {"literal", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN,
     "special tokens in the text are plain text"},
    {"skip-special", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN,
     "leave special tokens out of the text"},
    {"jsonl", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GEN, "one JSON object a line"},

    {"jobs", NULL, 'j', SC_OPT_INT, "N", NULL, NULL, 1, 64, EXEC,
     "programs run at the same time; by default one for every CPU"},
    {"level", NULL, 0, SC_OPT_CHOICE, "LEVEL", NULL, "full|reduced-uid|reduced-self|none", 0, 0,
     EXEC, "insist on this level of the sandbox; by default the best that holds on this machine"},
    {"allow-unsafe-exec", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, EXEC,
     "needed for --level none: programs can then do whatever you can"},
    {"cgroup", NULL, 0, SC_OPT_TEXT, "DIR", NULL, NULL, 0, 0, EXEC,
     "a control group (version 2) of yours: each worker's programs get a group below it, with the "
     "kernel's own limits on memory and processes"},
    {"cpu-time", NULL, 0, SC_OPT_NUM, "SEC", "2", NULL, 0.01, 86400, EXEC,
     "CPU time of a program with all its processes"},
    {"wall-time", NULL, 0, SC_OPT_NUM, "SEC", NULL, NULL, 0.01, 864000, EXEC,
     "wall time, a backstop for programs that sleep; by default 3 times --cpu-time"},
    {"mem", NULL, 0, SC_OPT_INT, "MiB", "512", NULL, 32, 1048576, EXEC, "memory of a program"},
    {"pids", NULL, 0, SC_OPT_INT, "N", "32", NULL, 1, 400, EXEC,
     "processes and threads of a program"},
    {"output-cap", NULL, 0, SC_OPT_INT, "KiB", "256", NULL, 1, 1048576, EXEC,
     "stop a program that prints more; 64 KiB are kept, the head and the tail"},
    {"disk", NULL, 0, SC_OPT_INT, "MiB", "64", NULL, 1, 65536, EXEC,
     "room in a program's writable folder"},
    {"pass-k", NULL, 0, SC_OPT_TEXT, "K,...", "1,10,100", NULL, 0, 0, EXEC,
     "which pass@k; those that need more samples than there are are left out"},
    {"extract", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, EXEC,
     "take the code out of chatty answers (fences, thinking, prose) and report both rates"},
    {"validate", NULL, 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, EXEC,
     "run the reference solutions first and stop when one fails"},
    {"retry-timeouts", NULL, 0, SC_OPT_CHOICE, "HOW", "alone", "alone|no", 0, 0, EXEC,
     "run programs that timed out once more, alone"},
    {"exec", NULL, 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, EXEC,
     "run completions against the tests of their tasks, in the sandbox"},
    {"entry-point", NULL, 0, SC_OPT_TEXT, "NAME", NULL, NULL, 0, 0, EXEC,
     "the function that the tests call"},
    {"test", NULL, 0, SC_OPT_TEXT, "FILE", NULL, NULL, 0, 0, EXEC,
     "Python tests for the program: asserts, or a function check(candidate)"},
    {"single", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, EXEC,
     "tests and program in one interpreter, for tests that cannot be taken apart; a hostile "
     "program "
     "can forge its verdict there"},

    {"memory", NULL, 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, MEASURE, "measure memory"},
    {"warmup", NULL, 0, SC_OPT_INT, "N", "0", NULL, 0, 100, MEASURE,
     "samples to generate and throw away before the first counts"},

    {"output-dir", NULL, 'o', SC_OPT_TEXT, "DIR", "benchmark_results", NULL, 0, 0, OUTPUT,
     "folder for the reports; the run gets a folder of its own in it"},
    {"output", NULL, 'o', SC_OPT_TEXT, "FILE", NULL, NULL, 0, 0, OUTPUT, "file to write"},
    {"resume", NULL, 0, SC_OPT_TEXT, "RUN", NULL, NULL, 0, 0, OUTPUT,
     "continue the interrupted run in this folder; samples that are there are not made again"},
    {"note", NULL, 0, SC_OPT_TEXT, "TEXT", NULL, NULL, 0, 0, OUTPUT, "a remark for the report"},
    {"tag", NULL, 0, SC_OPT_LIST, "K=V", NULL, NULL, 0, 0, OUTPUT, "a label for the report"},
    {"max-errors", NULL, 0, SC_OPT_TEXT, "N|P%", NULL, NULL, 0, 0, OUTPUT,
     "exit with 7 when more samples than that could not be measured"},
    {"json", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, OUTPUT,
     "standard output is JSON, one object a line, and nothing else"},
    {"progress", NULL, 0, SC_OPT_CHOICE, "HOW", "auto", "auto|bar|plain|json|none", 0, 0, OUTPUT,
     "how progress is shown on standard error"},
    {"schema", NULL, 0, SC_OPT_CHOICE, "WHICH", NULL, "run|sample|seed|speed", 0, 0, OUTPUT,
     "print the JSON Schema of a file that scbench writes"},
    {"run-all", "run", 0, SC_OPT_FLAG, NULL, "yes", NULL, 0, 0, OUTPUT,
     "run each scenario; --no-run only explains them"},
    {"reference", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, OUTPUT,
     "the reference of all commands and options as Markdown"},

    {"checkpoint", NULL, 0, SC_OPT_TEXT, "PATH", NULL, NULL, 0, 0, SEED,
     "a SmallCoder checkpoint, the first model, labelled SmallCoder"},
    {"compare", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, SEED,
     "also run the comparison models"},
    {"comparison-models", NULL, 0, SC_OPT_WORDS, "NAME...", NULL,
     "codellama-7b|codegen-350m|starcoder-1b", 0, 0, SEED,
     "which comparison models: codellama-7b, codegen-350m, starcoder-1b, a path or org/name; all "
     "three by default"},
    {"include-challenges", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, SEED,
     "eleven tasks: the core tasks and the challenges"},
    {"skip-memory-test", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, SEED, "as --no-memory"},

    {"n-prompt", NULL, 'p', SC_OPT_LIST, "LIST", "512", NULL, 0, 0, SPEED,
     "prompt lengths to read; a list such as 64,512, 128-1024*2 or 0-4096+512; 0: none"},
    {"n-gen", NULL, 'n', SC_OPT_LIST, "LIST", "128", NULL, 0, 0, SPEED,
     "numbers of tokens to write; 0: none"},
    {"depth", NULL, 'd', SC_OPT_LIST, "LIST", "0", NULL, 0, 0, SPEED,
     "tokens already in the context"},
    {"batch-list", "batch", 'b', SC_OPT_LIST, "LIST", "1", NULL, 0, 0, SPEED,
     "sequences at a time"},
    {"threads-list", "threads", 't', SC_OPT_LIST, "LIST", NULL, NULL, 0, 0, SPEED,
     "threads; by default one for every CPU this process may use"},
    {"compute-list", "compute", 0, SC_OPT_LIST, "LIST", "auto", "auto|f32|bf16|int8", 0, 0, SPEED,
     "what activations are rounded to: auto, f32, bf16, int8"},
    {"kv-list", "kv-type", 0, SC_OPT_LIST, "LIST", "auto", "auto|f32|f16|bf16|q8_0", 0, 0, SPEED,
     "types of the key and value cache: auto, f32, f16, bf16, q8_0"},
    {"repeats", NULL, 'r', SC_OPT_INT, "N", "5", NULL, 1, 1000, SPEED, "repeats that count"},
    {"warmup-runs", "warmup", 0, SC_OPT_INT, "N", "1", NULL, 0, 100, SPEED,
     "repeats before those that count"},
    {"speed-format", "format", 0, SC_OPT_CHOICE, "FORM", "md", "md|csv|json|sql", 0, 0, SPEED,
     "form of the result"},
    {"limits", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, SPEED,
     "measure the machine's limits; without a model, them alone"},
    {"compare-results", "compare", 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, SPEED,
     "compare two results that were written with --format json"},
    {"origin", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GENERAL,
     "a line for every option with the place that its value comes from"},
    {"color", NULL, 0, SC_OPT_CHOICE, "WHEN", "auto", "auto|always|never", 0, 0, GENERAL,
     "use colour"},
    {"ascii", NULL, 0, SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GENERAL,
     "no characters beyond ASCII on the screen"},
    {"quiet", NULL, 'q', SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GENERAL,
     "no progress and no notes; errors and warnings only"},
    {"verbose", NULL, 'v', SC_OPT_COUNT, NULL, NULL, NULL, 0, 0, GENERAL,
     "a line for every sample; twice: for debugging"},
    {"help", NULL, 'h', SC_OPT_FLAG, NULL, NULL, NULL, 0, 0, GENERAL,
     "this help; -h is the short form"},
};

const sc_opt *sc_opts(size_t *n)
{
    *n = sizeof table / sizeof table[0];
    return table;
}

const sc_opt *sc_opt_find(const char *key)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].key, key) == 0)
            return &table[i];
    return NULL;
}

const char *sc_opt_name(const sc_opt *o)
{
    return o->name ? o->name : o->key;
}

bool sc_opt_takes_value(const sc_opt *o)
{
    return o->kind != SC_OPT_FLAG && o->kind != SC_OPT_COUNT;
}

void sc_opt_env(const sc_opt *o, char *out, size_t size)
{
    (void)snprintf(out, size, "SCBENCH_%s", sc_opt_name(o)); // a test holds that 64 is enough
    for (char *p = out; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}
