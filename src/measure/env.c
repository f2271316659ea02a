// SPDX-License-Identifier: MIT
#include "measure/env.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "measure/memory.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CPU0 "/sys/devices/system/cpu/cpu0/"

/* Instruction sets that decide how fast a model runs; the other hundred flags say nothing here. */
static const char *const flags_of_interest[] = {
    "sse4_2",   "avx",      "avx2",     "fma",         "f16c",       "bmi2",
    "avx512f",  "avx512bw", "avx512vl", "avx512_vnni", "avx_vnni",   "avx512_bf16",
    "amx_bf16", "amx_int8", "amx_tile", "avx512_fp16", "hypervisor",
};

/* The first line of a small system file as a JSON string; null when there is none. */
static json_t *line_of(const char *path)
{
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    sc_err err = {0};
    if (sc_file_read(path, 1 << 16, &text, &err) != SC_OK)
        return json_null();
    const char *t = sc_buf_text(&text);
    const size_t n = strcspn(t, "\n");
    return n ? sc_json_text((sc_str){t, n}) : json_null();
}

/* The value of the first line "key : value" of /proc/cpuinfo. */
static sc_str info_of(const char *info, const char *key)
{
    const size_t len = strlen(key);
    for (const char *line = info; line && *line;) {
        if (strncmp(line, key, len) == 0 &&
            (line[len] == '\t' || line[len] == ' ' || line[len] == ':')) {
            const char *from = strchr(line, ':');
            if (!from)
                break;
            from++;
            from += strspn(from, " \t");
            return (sc_str){from, strcspn(from, "\n")};
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return (sc_str){"", 0};
}

static json_t *text_or_null(sc_str s)
{
    return s.n ? sc_json_text(s) : json_null();
}

static json_t *number_or_null(sc_str s)
{
    return s.n ? json_integer(strtoll(s.p, NULL, 10)) : json_null();
}

static bool has_word(sc_str words, const char *word)
{
    const size_t len = strlen(word);
    for (size_t i = 0; i + len <= words.n; i++)
        if (memcmp(words.p + i, word, len) == 0 && (i == 0 || words.p[i - 1] == ' ') &&
            (i + len == words.n || words.p[i + len] == ' '))
            return true;
    return false;
}

static json_t *flags_in(sc_str all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SC_LEN(flags_of_interest); i++)
        if (has_word(all, flags_of_interest[i]))
            (void)json_array_append_new(list, json_string(flags_of_interest[i])); // checked whole
    return list;
}

static json_t *caches(void)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < 8; i++) {
        char path[96];
        char name[16];
        (void)snprintf(path, sizeof path, CPU0 "cache/index%u/level", i);
        json_t *level = line_of(path);
        (void)snprintf(path, sizeof path, CPU0 "cache/index%u/type", i);
        json_t *type = line_of(path);
        (void)snprintf(path, sizeof path, CPU0 "cache/index%u/size", i);
        json_t *size = line_of(path);
        if (json_is_string(level) && json_is_string(type) && json_is_string(size)) {
            const char kind = json_string_value(type)[0];
            (void)snprintf(name, sizeof name, "L%.4s%s", json_string_value(level),
                           kind == 'D'   ? "d"
                           : kind == 'I' ? "i"
                                         : "");
            (void)json_object_set(o, name, size);
        }
        json_decref(level);
        json_decref(type);
        json_decref(size);
    }
    return o;
}

static json_t *cpu(void)
{
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    sc_err err = {0};
    if (sc_file_read("/proc/cpuinfo", 4u << 20, &text, &err) != SC_OK)
        sc_buf_clear(&text);
    const char *info = sc_buf_text(&text);
    const sc_str flags = info_of(info, "flags");
    const long logical = sysconf(_SC_NPROCESSORS_ONLN);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:b}", //
                     "model", text_or_null(info_of(info, "model name")),                  //
                     "vendor", text_or_null(info_of(info, "vendor_id")),                  //
                     "family", number_or_null(info_of(info, "cpu family")),               //
                     "model_number", number_or_null(info_of(info, "model")),              //
                     "stepping", number_or_null(info_of(info, "stepping")),               //
                     "flags", flags_in(flags),                                            //
                     "logical", (json_int_t)(logical > 0 ? logical : 1),                  //
                     "usable", (json_int_t)sc_pool_cpus(),                                //
                     "max_khz", line_of(CPU0 "cpufreq/cpuinfo_max_freq"),                 //
                     "governor", line_of(CPU0 "cpufreq/scaling_governor"),                //
                     "scaling_driver", line_of(CPU0 "cpufreq/scaling_driver"),            //
                     "caches", caches(),                                                  //
                     "virtual", has_word(flags, "hypervisor") ? 1 : 0);
}

static json_t *memory(void)
{
    sc_system_memory m = {0};
    sc_err err = {0};
    if (sc_system_memory_read(&m, &err) != SC_OK)
        return json_null();
    return json_pack("{s:I, s:I, s:o}", "total_bytes", (json_int_t)m.total, "available_bytes",
                     (json_int_t)m.available, "huge_pages",
                     line_of("/sys/kernel/mm/transparent_hugepage/enabled"));
}

static json_t *os_name(void)
{
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    sc_err err = {0};
    if (sc_file_read("/etc/os-release", 1 << 16, &text, &err) != SC_OK)
        return json_null();
    const char *at = strstr(sc_buf_text(&text), "PRETTY_NAME=\"");
    if (!at)
        return json_null();
    at += strlen("PRETTY_NAME=\"");
    return sc_json_text((sc_str){at, strcspn(at, "\"\n")});
}

static bool in_container(void)
{
    return sc_file_is_file("/.dockerenv") || sc_file_is_file("/run/.containerenv") ||
           getenv("container") != NULL;
}

/* The commit that .git/HEAD of the current folder stands for; null without a repository. */
static json_t *git_commit(void)
{
    json_t *head = line_of(".git/HEAD");
    const char *text = json_string_value(head);
    if (!text || strncmp(text, "ref: ", 5) != 0)
        return head;
    char path[1024];
    const int n = snprintf(path, sizeof path, ".git/%s", text + 5);
    json_t *commit =
        n > 0 && (size_t)n < sizeof path && !strstr(text, "..") ? line_of(path) : json_null();
    json_decref(head);
    return commit;
}

sc_load sc_load_read(void)
{
    sc_load l = {0};
    if (getloadavg(l.avg, 3) < 3)
        l = (sc_load){0};
    return l;
}

sc_code sc_env_capture(json_t **out, sc_err *err)
{
    struct utsname u;
    const bool known = uname(&u) == 0;
    const sc_load load = sc_load_read();
    const char *locale = setlocale(LC_CTYPE, NULL);
    json_t *env = json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:[f,f,f], s:{s:o}}", //
        "cpu", cpu(),                                              //
        "memory", memory(),                                        //
        "kernel",
        known ? json_sprintf("%s %s %s", u.sysname, u.release, u.machine) : json_null(), //
        "os", os_name(),                                                                 //
        "container", in_container() ? 1 : 0,                                             //
        "clock_source",
        line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource"), //
        "locale", locale ? locale : "C",                                             //
        "load_before", load.avg[0], load.avg[1], load.avg[2],                        //
        "git", "commit", git_commit());
    if (!env)
        return sc_fail_nomem(err);
    *out = env;
    return SC_OK;
}

sc_code sc_env_warnings(const json_t *env, json_t **out, sc_err *err)
{
    json_t *list = json_array();
    if (!list)
        return sc_fail_nomem(err);
    const json_t *c = json_object_get(env, "cpu");
    const double load = json_number_value(json_array_get(json_object_get(env, "load_before"), 0));
    const double usable = (double)json_integer_value(json_object_get(c, "usable"));
    const char *governor = json_string_value(json_object_get(c, "governor"));
    int bad = 0;
    if (load > 0.25 * usable)
        bad |= json_array_append_new(
            list,
            json_sprintf("other work is running: the load average was %.2f on %.0f usable CPUs; "
                         "speed figures are lower than on a quiet machine",
                         load, usable));
    if (governor && strcmp(governor, "performance") != 0)
        bad |= json_array_append_new(
            list, json_sprintf("CPU frequency scaling is on (%s); try the governor \"performance\"",
                               governor));
    if (usable < (double)json_integer_value(json_object_get(c, "logical")))
        bad |= json_array_append_new(
            list, json_sprintf("only %.0f of %lld CPUs may be used (affinity or quota)", usable,
                               (long long)json_integer_value(json_object_get(c, "logical"))));
    if (bad) {
        json_decref(list);
        return sc_fail_nomem(err);
    }
    *out = list;
    return SC_OK;
}
