// SPDX-License-Identifier: MIT
#include "box/place.h"

#include "base/mem.h"
#include "box/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MAX_SLOTS = 64, PATH_SIZE = 56, LONG_PATH = 1024 };

struct sc_place {
    char top[PATH_SIZE]; // ours alone
    bool roots;          // each slot is a root folder
    unsigned n;
    char slot[MAX_SLOTS][PATH_SIZE];
};

// What the modules of the standard library load; one that is not here is left out.
static const char *const libraries[] = {
    "libbz2.so.1.0",   "libc.so.6",        "libcrypt.so.1", "libcrypto.so.3",  "libdb-5.3.so",
    "libdl.so.2",      "libexpat.so.1",    "libffi.so.8",   "libgcc_s.so.1",   "liblzma.so.5",
    "libm.so.6",       "libmpdec.so.3",    "libnsl.so.2",   "libpthread.so.0", "libreadline.so.8",
    "libsqlite3.so.0", "libssl.so.3",      "libtinfo.so.6", "libtirpc.so.3",   "libuuid.so.1",
    "libz.so.1",       "libncursesw.so.6", "libpanelw.so.6"};

// Parts of it that no program under test needs and that are half of its size.
static const char *const left_out[] = {"test",       "idlelib", "tkinter", "ensurepip",  "lib2to3",
                                       "pydoc_data", "posix",   "right",   "turtledemo", NULL};

uint32_t sc_place_uid(unsigned slot)
{
    return 0x70000000u + ((uint32_t)getpid() & 0xfffffu) * 128u + slot;
}

static sc_code make_top(sc_place *p, sc_err *err)
{
    // Short names: they stand in the program's own file name.
    static const char *const where[] = {"/tmp", "/var/tmp"};
    for (size_t i = 0; i < SC_LEN(where); i++) {
        (void)snprintf(p->top, sizeof p->top, "%s/scbench-box-XXXXXX", where[i]); // fits
        if (mkdtemp(p->top))
            return SC_OK;
    }
    return sc_fail_sys(err, SC_E_SANDBOX, errno, "no folder in /tmp or /var/tmp: %s",
                       strerror(errno));
}

static sc_code make_device(const char *root, const char *name, unsigned number, sc_err *err)
{
    char path[LONG_PATH];
    (void)snprintf(path, sizeof path, "%s/dev/%s", root, name); // fits
    if (mknod(path, S_IFCHR | 0666, makedev(1, number)) || chmod(path, 0666))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    return SC_OK;
}

/* The folder of the libraries and the files of it that are wanted. */
static sc_code copy_libraries(const char *root, sc_err *err)
{
    char from[LONG_PATH], to[LONG_PATH];
    (void)snprintf(to, sizeof to, "%s%s", root, SC_PY_LIBS); // fits
    SC_TRY(sc_copy_make_dirs(to, err));
    for (size_t i = 0; i < SC_LEN(libraries); i++) {
        (void)snprintf(from, sizeof from, "%s/%s", SC_PY_LIBS, libraries[i]);     // fits
        (void)snprintf(to, sizeof to, "%s%s/%s", root, SC_PY_LIBS, libraries[i]); // fits
        SC_TRY(sc_copy_file(from, to, err));
    }
    return SC_OK;
}

static sc_code copy_folder(const char *root, const char *from, sc_err *err)
{
    char to[LONG_PATH];
    (void)snprintf(to, sizeof to, "%s%s", root, from); // fits
    return sc_copy_tree(from, to, left_out, false, err);
}

/* A root folder with the interpreter's files, three devices and a /tmp of the user `uid`. */
static sc_code fill_root(const char *root, const char *like, uint32_t uid, sc_err *err)
{
    char path[LONG_PATH];
    if (like) {                                            // the same files once more cost nothing
        (void)snprintf(path, sizeof path, "%s/usr", like); // fits
        char to[LONG_PATH];
        (void)snprintf(to, sizeof to, "%s/usr", root); // fits
        SC_TRY(sc_copy_tree(path, to, NULL, true, err));
    } else {
        SC_TRY(copy_folder(root, SC_PY_STDLIB, err));
        SC_TRY(copy_libraries(root, err));
        SC_TRY(copy_folder(root, "/usr/share/zoneinfo", err));
    }
    static const char *const folder[] = {"dev", "etc", "tmp"};
    for (size_t i = 0; i < SC_LEN(folder); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", root, folder[i]); // fits
        if (mkdir(path, 0755))
            return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    }
    if (chown(path, uid, uid) || chmod(path, 0700)) // the last one, /tmp
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    SC_TRY(make_device(root, "null", 3, err));
    SC_TRY(make_device(root, "zero", 5, err));
    SC_TRY(make_device(root, "urandom", 9, err));
    (void)snprintf(path, sizeof path, "%s/dev/shm", root); // fits
    if (symlink("../tmp", path))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    (void)snprintf(path, sizeof path, "%s/lib", root); // fits
    if (symlink("usr/lib", path) || chmod(root, 0755))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    return SC_OK;
}

sc_code sc_place_open(sc_box_level level, unsigned n, sc_place **out, sc_err *err)
{
    if (level == SC_BOX_FULL)
        return SC_OK;
    if (level == SC_BOX_REDUCED_UID && geteuid() != 0)
        return sc_fail(err, SC_E_SANDBOX, "level reduced-uid needs root");
    SC_AUTO(sc_place) *p = sc_new(sc_place);
    if (!p)
        return sc_fail_nomem(err);
    if (n > MAX_SLOTS)
        return sc_fail(err, SC_E_LIMIT, "more than %d workers", MAX_SLOTS);
    SC_TRY(make_top(p, err));
    p->roots = level == SC_BOX_REDUCED_UID;
    while (p->n < n) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%.40s/%u", p->top, p->n); // fits
        if (mkdir(path, 0700))
            return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
        memcpy(p->slot[p->n], path, sizeof path);
        p->n++;
        if (p->roots)
            SC_TRY(fill_root(path, p->n > 1 ? p->slot[0] : NULL, sc_place_uid(p->n - 1), err));
    }
    // Samples go through it, as users of their own.
    if (p->roots && chmod(p->top, 0711))
        return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", p->top, strerror(errno));
    *out = sc_take(p);
    return SC_OK;
}

void sc_place_close(sc_place *p)
{
    if (!p)
        return;
    // The workers are gone and emptied what samples wrote; links are removed, never followed.
    if (p->top[0])
        (void)sc_copy_remove(p->top); // what is left is in the system's folder of temporary files
    sc_free(p);
}

const char *sc_place_scratch(const sc_place *p, unsigned slot)
{
    return p && slot < p->n && !p->roots ? p->slot[slot] : NULL;
}

const char *sc_place_root(const sc_place *p, unsigned slot)
{
    return p && slot < p->n && p->roots ? p->slot[slot] : NULL;
}
