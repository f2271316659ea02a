// SPDX-License-Identifier: MIT
#include "cli/ui.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MIN_WIDTH = 40, MAX_WIDTH = 400 };

unsigned sc_ui_columns(int fd)
{
    struct winsize w;
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &w) != 0)
        return 0;
    return w.ws_col;
}

static bool is_set(const char *name)
{
    const char *v = getenv(name);
    return v && *v;
}

static bool is_zero(const char *name)
{
    const char *v = getenv(name);
    return v && strcmp(v, "0") == 0;
}

static bool color_on(const char *when, int fd)
{
    if (when && strcmp(when, "always") == 0)
        return true;
    if (when && strcmp(when, "never") == 0)
        return false;
    if (is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE"))
        return true;
    const char *term = getenv("TERM");
    return isatty(fd) && !is_set("NO_COLOR") && !is_zero("CLICOLOR") &&
           !(term && strcmp(term, "dumb") == 0);
}

static sc_progress progress_of(const char *how)
{
    static const char *const names[] = {"auto", "bar", "plain", "json", "none"};
    for (unsigned i = 0; how && i < SC_LEN(names); i++)
        if (strcmp(names[i], how) == 0)
            return (sc_progress)i;
    return SC_PROGRESS_AUTO;
}

void sc_ui_init(sc_ui *ui, const sc_ui_opts *opts)
{
    const char *term = getenv("TERM");
    const bool bar = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
    unsigned width = sc_ui_columns(STDERR_FILENO);
    if (width < MIN_WIDTH)
        width = width ? MIN_WIDTH : 80;
    sc_progress progress = progress_of(opts->progress);
    if (progress == SC_PROGRESS_AUTO)
        progress = bar ? SC_PROGRESS_BAR : SC_PROGRESS_PLAIN;
    if (opts->quiet)
        progress = SC_PROGRESS_NONE;
    *ui = (sc_ui){
        .out_color = color_on(opts->color, STDOUT_FILENO),
        .err_color = color_on(opts->color, STDERR_FILENO),
        .utf8 = !opts->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .quiet = opts->quiet,
        .verbose = opts->verbose,
        .width = width > MAX_WIDTH ? MAX_WIDTH : width,
        .progress = progress,
    };
}

static const char *sequence(bool on, sc_style s)
{
    static const char *const code[] = {
        [SC_PLAIN] = "\x1b[0m", [SC_BOLD] = "\x1b[1m",   [SC_DIM] = "\x1b[2m",
        [SC_RED] = "\x1b[31m",  [SC_GREEN] = "\x1b[32m", [SC_YELLOW] = "\x1b[33m",
        [SC_CYAN] = "\x1b[36m"};
    return on ? code[s] : "";
}

const char *sc_ui_out(const sc_ui *ui, sc_style s)
{
    return sequence(ui->out_color, s);
}

const char *sc_ui_err(const sc_ui *ui, sc_style s)
{
    return sequence(ui->err_color, s);
}

/* Formats and writes a line to stderr; names of files and tasks in it cannot drive the terminal. */
SC_PRINTF(1, 0) static void put_line(const char *fmt, va_list args)
{
    char text[4096];
    const int n = vsnprintf(text, sizeof text, fmt, args);
    if (n > 0) // a longer one is cut
        sc_ui_put_text(stderr, sc_str_c(text));
    (void)fputc('\n', stderr); // nobody is left to tell that stderr is broken
}

void sc_ui_note(sc_ui *ui, const char *fmt, ...)
{
    if (ui->quiet)
        return;
    sc_ui_progress_end(ui);
    va_list args;
    va_start(args, fmt);
    put_line(fmt, args);
    va_end(args);
}

void sc_ui_warn(sc_ui *ui, const char *fmt, ...)
{
    sc_ui_progress_end(ui);
    (void)fprintf(stderr, "%swarning:%s ", sc_ui_err(ui, SC_YELLOW), sc_ui_err(ui, SC_PLAIN));
    va_list args;
    va_start(args, fmt);
    put_line(fmt, args);
    va_end(args);
}

void sc_ui_error(sc_ui *ui, const char *msg)
{
    sc_ui_progress_end(ui);
    (void)fprintf(stderr, "scbench: %serror:%s ", sc_ui_err(ui, SC_RED), sc_ui_err(ui, SC_PLAIN));
    sc_ui_put_text(stderr, sc_str_c(msg));
    (void)fputc('\n', stderr); // as above
}

/* How many bytes of `text` fit into `columns`; one character counts as one column. */
static size_t fit(const char *text, unsigned columns)
{
    const sc_str s = sc_str_c(text);
    size_t at = 0;
    while (at < s.n && columns-- > 0) {
        uint32_t point = 0;
        at += sc_utf8_decode(sc_str_skip(s, at), &point);
    }
    return at;
}

static void draw_bar(sc_ui *ui, uint64_t now_ns, const char *text)
{
    if (ui->line_open && now_ns - ui->drawn_ns < 100000000u)
        return;
    (void)fprintf(stderr, "\r%.*s\x1b[K", (int)fit(text, ui->width - 1), text);
    (void)fflush(stderr); // progress is a courtesy
    ui->line_open = true;
    ui->drawn_ns = now_ns;
}

static void draw_plain(sc_ui *ui, uint64_t now_ns, uint64_t done, uint64_t total, const char *text)
{
    if (!ui->drawn_ns) { // the first call starts the clock
        ui->drawn_ns = now_ns;
        ui->drawn_done = done;
        return;
    }
    const bool late = now_ns - ui->drawn_ns >= 10000000000u;
    const bool far = total && (done - ui->drawn_done) * 10 >= total;
    if (!late || !far)
        return;
    (void)fprintf(stderr, "%s\n", text);
    ui->drawn_ns = now_ns;
    ui->drawn_done = done;
}

void sc_ui_progress(sc_ui *ui, uint64_t now_ns, uint64_t done, uint64_t total, const char *text)
{
    if (ui->progress == SC_PROGRESS_BAR) {
        draw_bar(ui, now_ns, text);
    } else if (ui->progress == SC_PROGRESS_PLAIN) {
        draw_plain(ui, now_ns, done, total, text);
    } else if (ui->progress == SC_PROGRESS_JSON) {
        SC_AUTO(sc_buf) line = sc_buf_init(4096);
        sc_buf_addf(&line, "{\"event\":\"progress\",\"done\":%llu,\"total\":%llu,\"text\":",
                    (unsigned long long)done, (unsigned long long)total);
        sc_buf_add_json(&line, sc_str_c(text));
        (void)fprintf(stderr, "%s}\n", sc_buf_text(&line));
    }
}

void sc_ui_progress_end(sc_ui *ui)
{
    if (ui->line_open)
        (void)fprintf(stderr, "\r\x1b[K");
    ui->line_open = false;
}

void sc_ui_put_text(FILE *to, sc_str text)
{
    for (size_t at = 0; at < text.n;) {
        const sc_str rest = sc_str_skip(text, at);
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(rest, &point);
        const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0) ||
                             (point >= 0x202a && point <= 0x202e) || // these turn the direction
                             (point >= 0x2066 && point <= 0x2069);
        if (point == '\n' || point == '\t' || (!control && point != SC_UTF8_BAD))
            (void)fwrite(rest.p, 1, n, to); // the caller asks ferror once
        else
            for (size_t i = 0; i < n; i++)
                (void)fprintf(to, "\\x%02x", (unsigned char)rest.p[i]);
        at += n;
    }
}
