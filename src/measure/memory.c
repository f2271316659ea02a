// SPDX-License-Identifier: MIT
#include "measure/memory.h"

#include "base/buf.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The figure of the line "key:   123 kB", in bytes; 0 when there is none. */
static uint64_t line_bytes(const char *text, const char *key)
{
    const size_t len = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ':')
            return strtoull(line + len + 1, NULL, 10) * 1024;
        if (!*line)
            break;
    }
    return 0;
}

sc_code sc_rss_read(sc_rss *out, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    SC_TRY(sc_file_read("/proc/self/status", 1 << 16, &text, err));
    const char *t = sc_buf_text(&text);
    *out = (sc_rss){
        .now = line_bytes(t, "VmRSS"),
        .peak = line_bytes(t, "VmHWM"),
        .anonymous = line_bytes(t, "RssAnon"),
        .file = line_bytes(t, "RssFile"),
        .shared = line_bytes(t, "RssShmem"),
    };
    return SC_OK;
}

bool sc_rss_reset_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool ok = write(fd, "5", 1) == 1;
    (void)close(fd); // the write has taken effect or not
    return ok;
}

sc_code sc_system_memory_read(sc_system_memory *out, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(0);
    SC_TRY(sc_file_read("/proc/meminfo", 1 << 16, &text, err));
    *out = (sc_system_memory){
        .total = line_bytes(sc_buf_text(&text), "MemTotal"),
        .available = line_bytes(sc_buf_text(&text), "MemAvailable"),
    };
    return SC_OK;
}
