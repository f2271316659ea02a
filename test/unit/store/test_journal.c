// SPDX-License-Identifier: MIT
#include "store/run.h"

#include "base/file.h"
#include "t.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[SCRATCH];

static int make_dir(void **state)
{
    UNUSED;
    return mkdtemp(scratch_path(dir)) ? 0 : -1;
}

static int remove_dir(void **state)
{
    UNUSED;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const double times[] = {0.010, 0.0125, 0.020};

static sc_record sample(uint32_t number, const char *text)
{
    return (sc_record){
        .model = SC_STR("m"),
        .suite = SC_STR("core"),
        .task = SC_STR("fib"),
        .protocol = SC_STR("seed@1"),
        .sample = number,
        .seed = 42,
        .prompt_sha = SC_STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .mode = SC_STR("base"),
        .extract = SC_STR("raw"),
        .solution = SC_STR("def f():a"),
        .raw = sc_str_c(text),
        .completion = sc_str_c(text),
        .finish = SC_STR("length"),
        .ok = true,
        .error = SC_STR(""),
        .n_prompt = 4,
        .n_out = 3,
        .ttft_s = 0.01,
        .prefill_s = 0.008,
        .wall_s = 0.02,
        .batch = 1,
        .token_s = times,
        .n_token_s = 3,
        .n_keywords = 4,
        .found = 3,
        .words = 1,
    };
}

static char *path_of(const char *name)
{
    char *p = sc_path_join(dir, name);
    CHECK(p);
    return p;
}

/* Appends `n` samples from number `from` on. */
static void write_samples(const char *path, uint32_t from, uint32_t n)
{
    sc_err err = {0};
    SC_AUTO(sc_journal) *j = NULL;
    CHECK_OK(sc_journal_open(path, &j, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        const sc_record s = sample(from + i, "return 1\n");
        SC_AUTO_JSON *v = sc_record_json(&s);
        CHECK_OK(sc_journal_add(j, v, &err), &err);
    }
    CHECK_OK(sc_journal_sync(j, &err), &err);
}

TEST(a_sample_comes_back_as_it_was_written)
{
    UNUSED;
    sc_err err = {0};
    sc_record s = sample(2, "x = \"\xff\"\0y");
    s.completion = (sc_str){"a\0b\xc3", 4};
    SC_AUTO_JSON *v = sc_record_json(&s);
    CHECK(v);
    SC_AUTO(sc_record) back = {0};
    CHECK_OK(sc_record_parse(v, &back, &err), &err);
    CHECK(back.sample == 2 && back.seed == 42 && back.found == 3 && back.words == 1);
    CHECK(sc_str_eq(back.completion, SC_STR("a\0b\xEF\xBF\xBD")));
    CHECK(back.n_token_s == 3 && back.token_s[2] > 0.01999 && back.token_s[2] < 0.02001);
    CHECK(sc_record_decode_rate(&back) > 199.9 && sc_record_decode_rate(&back) < 200.1);
    CHECK(sc_record_prefill_rate(&back) == 4 / 0.008);
    CHECK(sc_record_share(&back) == 0.75 && sc_record_word_share(&back) == 0.25);
    CHECK(sc_str_starts(sc_json_str(json_object_get(v, "solution")), SC_STR("def f():a")));
}

TEST(figures_that_do_not_exist_are_null)
{
    UNUSED;
    sc_record s = sample(0, "");
    s.shared_prefill = true;
    SC_AUTO_JSON *v = sc_record_json(&s);
    CHECK(json_is_null(json_object_get(v, "ttft")) &&
          json_is_null(json_object_get(v, "t_prefill")));
    CHECK(json_is_null(json_object_get(v, "error")));
}

TEST(appends_to_what_is_there)
{
    UNUSED;
    sc_err err = {0};
    char *path = path_of("append.jsonl");
    write_samples(path, 0, 2);
    write_samples(path, 2, 1);
    SC_AUTO(sc_records) all = {0};
    bool torn = true;
    CHECK_OK(sc_journal_read(path, &all, &torn, &err), &err);
    CHECK(all.n == 3 && !torn && all.p[2].sample == 2);
    sc_free(path);
}

TEST(a_torn_last_line_is_ignored_and_cut_off_before_the_next)
{
    UNUSED;
    sc_err err = {0};
    char *path = path_of("torn.jsonl");
    write_samples(path, 0, 2);
    FILE *f = fopen(path, "a");
    CHECK(f && fputs("{\"id\": \"half", f) >= 0 && fclose(f) == 0);
    SC_AUTO(sc_records) some = {0};
    bool torn = false;
    CHECK_OK(sc_journal_read(path, &some, &torn, &err), &err);
    CHECK(some.n == 2 && torn);
    write_samples(path, 2, 1);
    SC_AUTO(sc_records) all = {0};
    CHECK_OK(sc_journal_read(path, &all, &torn, &err), &err);
    CHECK(all.n == 3 && !torn);
    sc_free(path);
}

TEST(a_bad_line_in_the_middle_is_named)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_records) all = {0};
    bool torn = false;
    CHECK_CODE(SC_E_FORMAT, sc_journal_parse(SC_STR("{}\n"), &all, &torn, &err), &err);
    CHECK(strncmp(err.msg, "line 1: \"model\" is missing", 26) == 0);
    CHECK_CODE(SC_E_FORMAT, sc_journal_parse(SC_STR("\n"), &all, &torn, &err), &err);
    CHECK(all.n == 0);
}

TEST(one_process_writes_a_journal)
{
    UNUSED;
    sc_err err = {0};
    char *path = path_of("locked.jsonl");
    SC_AUTO(sc_journal) *a = NULL;
    SC_AUTO(sc_journal) *b = NULL;
    CHECK_OK(sc_journal_open(path, &a, &err), &err);
    CHECK_CODE(SC_E_USAGE, sc_journal_open(path, &b, &err), &err);
    CHECK(!b);
    sc_free(path);
}

TEST(a_killed_writer_loses_no_finished_sample)
{
    UNUSED;
    char *path = path_of("killed.jsonl");
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        sc_err err = {0};
        sc_journal *j = NULL;
        if (sc_journal_open(path, &j, &err) != SC_OK)
            _exit(1);
        for (uint32_t i = 0;; i++) {
            const sc_record s = sample(i, "pass");
            json_t *v = sc_record_json(&s);
            if (!v || sc_journal_add(j, v, &err) != SC_OK)
                _exit(1);
            json_decref(v);
            if (write(ready[1], "x", 1) != 1) // said only after the sample was written
                _exit(1);
        }
    }
    char said[64];
    size_t n = 0;
    while (n < sizeof said)
        n += (size_t)read(ready[0], said + n, sizeof said - n);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    (void)close(ready[1]);
    ssize_t more = 0;
    while ((more = read(ready[0], said, sizeof said)) > 0)
        n += (size_t)more;
    (void)close(ready[0]);
    sc_err err = {0};
    SC_AUTO(sc_records) all = {0};
    bool torn = false;
    CHECK_OK(sc_journal_read(path, &all, &torn, &err), &err);
    CHECK(all.n >= n);
    for (size_t i = 0; i < all.n; i++)
        CHECK(all.p[i].sample == i);
    sc_free(path);
}

TEST(a_full_disk_is_an_error_and_leaves_whole_lines)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_journal) *j = NULL;
    if (sc_journal_open("/dev/full", &j, &err) != SC_OK)
        SKIP("full", "no /dev/full");
    const sc_record s = sample(0, "");
    SC_AUTO_JSON *v = sc_record_json(&s);
    CHECK_CODE(SC_E_IO, sc_journal_add(j, v, &err), &err);
    CHECK(strstr(err.msg, "No space left"));
}

TEST(refuses_every_truncation_of_a_sample)
{
    UNUSED;
    const sc_record s = sample(0, "x");
    SC_AUTO_JSON *v = sc_record_json(&s);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 16);
    sc_json_format(v, 0, &text);
    const size_t whole = text.n;
    for (size_t n = 1; n < whole; n++) {
        sc_err err = {0};
        SC_AUTO(sc_records) all = {0};
        bool torn = false;
        SC_AUTO(sc_buf) line = sc_buf_init(1 << 16);
        sc_buf_add(&line, text.p, n);
        sc_buf_add_char(&line, '\n');
        CHECK_CODE(SC_E_FORMAT, sc_journal_parse(sc_buf_str(&line), &all, &torn, &err), &err);
        CHECK(all.n == 0);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    const sc_record s = sample(0, "x");
    SC_AUTO_JSON *v = sc_record_json(&s);
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 16);
    sc_json_format(v, 0, &text);
    sc_buf_add_char(&text, '\n');
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_records) all = {0};
        bool torn = false;
        sc_alloc_fail_at(++nth);
        code = sc_journal_parse(sc_buf_str(&text), &all, &torn, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK ? all.n == 1 : code == SC_E_NOMEM && all.n == 0);
        CHECK(nth < 10000);
    }
    CHECK(nth > 1);
}

TEST(a_run_folder_is_made_written_and_opened_again)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_run) a = {0};
    SC_AUTO(sc_run) b = {0};
    CHECK_OK(sc_run_new(dir, 1700000000, &a, &err), &err);
    CHECK_OK(sc_run_new(dir, 1700000000, &b, &err), &err);
    CHECK(strcmp(a.id, b.id) != 0 && strlen(a.id) == 24);
    CHECK_OK(sc_run_write(&a, "run.json", SC_STR("{\"id\": 1}"), &err), &err);
    SC_AUTO_JSON *v = NULL;
    CHECK_OK(sc_run_read(a.dir, &v, &err), &err);
    CHECK(json_integer_value(json_object_get(v, "id")) == 1);
    SC_AUTO(sc_run) again = {0};
    CHECK_CODE(SC_E_USAGE, sc_run_open(a.dir, &again, &err), &err);
    sc_run_drop(&a);
    CHECK_CODE(SC_E_NOTFOUND, sc_run_open("/no/such/run", &again, &err), &err);
    CHECK_OK(sc_run_open(b.dir, &again, &err) == SC_E_USAGE ? SC_OK : SC_E_IO, &err);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(a_sample_comes_back_as_it_was_written),
        T(figures_that_do_not_exist_are_null),
        T(appends_to_what_is_there),
        T(a_torn_last_line_is_ignored_and_cut_off_before_the_next),
        T(a_bad_line_in_the_middle_is_named),
        T(one_process_writes_a_journal),
        T(a_killed_writer_loses_no_finished_sample),
        T(a_full_disk_is_an_error_and_leaves_whole_lines),
        T(refuses_every_truncation_of_a_sample),
        T(survives_every_failed_allocation),
        T(a_run_folder_is_made_written_and_opened_again),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
