// SPDX-License-Identifier: MIT
#include "fmt/zip.h"

#include "base/cur.h"
#include "base/mem.h"
#include "fmt/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    LOCAL_SIG = 0x04034b50,
    ENTRY_SIG = 0x02014b50,
    END_SIG = 0x06054b50,
    END64_SIG = 0x06064b50,
    LOCATOR64_SIG = 0x07064b50,
    LOCAL_SIZE = 30,
    ENTRY_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    MAX_COMMENT = 65535,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    MAX_MEMBERS = 1 << 20,
};

struct sc_zip {
    const uint8_t *bytes; // borrowed
    size_t size;
    sc_zip_member *member; // owned, [n]
    size_t n;
    sc_names names;
};

/* The directory's place, as the end record (or the 64-bit one) gives it. */
typedef struct directory {
    uint64_t at;
    uint64_t size;
    uint64_t n;
    uint64_t end; // where the end records begin
} directory;

/* The end record: the last one whose comment reaches exactly to the end of the file. */
static sc_code find_end(const sc_zip *z, uint64_t *at, sc_err *err)
{
    if (z->size < END_SIZE)
        return sc_fail_at(err, SC_E_FORMAT, z->size, "truncated: no ZIP directory");
    const size_t last = z->size - END_SIZE;
    const size_t first = last > MAX_COMMENT ? last - MAX_COMMENT : 0;
    for (size_t i = last + 1; i-- > first;) {
        sc_cur c = sc_cur_init(z->bytes, z->size);
        sc_cur_seek(&c, i);
        if (sc_cur_u32(&c) != END_SIG)
            continue;
        sc_cur_seek(&c, i + 20);
        if (sc_cur_u16(&c) == last - i) {
            *at = i;
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_FORMAT, z->size, "truncated: no ZIP directory");
}

/* A value of the 32-bit record is `none` or that of the 64-bit one. */
static bool agrees(uint64_t small, uint64_t none, uint64_t value)
{
    return small == none || small == value;
}

static sc_code read_end64(const sc_zip *z, directory *d, const directory *small, sc_err *err)
{
    sc_cur c = sc_cur_init(z->bytes, z->size);
    sc_cur_seek(&c, small->end - LOCATOR64_SIZE + 4);
    const uint32_t disk = sc_cur_u32(&c);
    const uint64_t at = sc_cur_u64(&c);
    const uint32_t n_disks = sc_cur_u32(&c);
    sc_cur_seek(&c, at);
    if (sc_cur_u32(&c) != END64_SIG || !sc_cur_ok(&c) || disk != 0 || n_disks > 1)
        return sc_fail_at(err, SC_E_FORMAT, small->end, "the ZIP64 end record is ill-formed");
    sc_cur_skip(&c, 8 + 2 + 2);            // size of the record, versions
    const uint64_t disks = sc_cur_u64(&c); // two numbers of 32 bits
    const uint64_t n_here = sc_cur_u64(&c);
    d->n = sc_cur_u64(&c);
    d->size = sc_cur_u64(&c);
    d->at = sc_cur_u64(&c);
    d->end = at;
    if (!sc_cur_ok(&c) || disks != 0 || n_here != d->n || !agrees(small->n, UINT16_MAX, d->n) ||
        !agrees(small->size, UINT32_MAX, d->size) || !agrees(small->at, UINT32_MAX, d->at))
        return sc_fail_at(err, SC_E_FORMAT, at, "the ZIP64 end record is ill-formed");
    return SC_OK;
}

static sc_code read_end(const sc_zip *z, directory *d, sc_err *err)
{
    uint64_t at = 0;
    SC_TRY(find_end(z, &at, err));
    sc_cur c = sc_cur_init(z->bytes, z->size);
    sc_cur_seek(&c, at + 4);
    const uint32_t disks = sc_cur_u32(&c); // two numbers of 16 bits
    const uint16_t n_here = sc_cur_u16(&c);
    directory small = {.n = sc_cur_u16(&c), .end = at};
    small.size = sc_cur_u32(&c);
    small.at = sc_cur_u32(&c);
    if (n_here != small.n || (disks != 0 && disks != UINT32_MAX))
        return sc_fail_at(err, SC_E_UNSUPPORTED, at, "a ZIP archive on several disks");
    *d = small;
    if (at >= LOCATOR64_SIZE) {
        sc_cur_seek(&c, at - LOCATOR64_SIZE);
        if (sc_cur_u32(&c) == LOCATOR64_SIG)
            SC_TRY(read_end64(z, d, &small, err));
    }
    if (d->at > d->end || d->size > d->end - d->at)
        return sc_fail_at(err, SC_E_FORMAT, at, "the ZIP directory does not fit into the file");
    if (d->n > d->size / ENTRY_SIZE)
        return sc_fail_at(err, SC_E_FORMAT, at, "%" PRIu64 " members do not fit into the directory",
                          d->n);
    if (d->n > MAX_MEMBERS)
        return sc_fail_at(err, SC_E_LIMIT, at, "%" PRIu64 " members, at most %d expected", d->n,
                          MAX_MEMBERS);
    return SC_OK;
}

/* A relative path that stays where it is. */
static bool name_ok(sc_str name)
{
    if (name.n == 0 || name.p[0] == '/' || memchr(name.p, '\0', name.n) ||
        memchr(name.p, '\\', name.n))
        return false;
    for (size_t i = 0, from = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '/')
            continue;
        if (sc_str_is((sc_str){name.p + from, i - from}, ".."))
            return false;
        from = i + 1;
    }
    return true;
}

/* What a directory entry holds beyond the member itself. */
typedef struct entry {
    uint16_t flags;
    uint16_t method;
    uint64_t packed; // bytes in the file
    uint16_t extra_size;
    uint16_t comment_size;
    uint32_t disk;
} entry;

/* Values that did not fit into 32 bits stand in the extra field, in this order. */
static bool read_extra64(sc_cur extra, entry *e, sc_zip_member *m)
{
    uint64_t *const wide[] = {&m->size, &e->packed, &m->head};
    bool needed = false;
    for (size_t i = 0; i < SC_LEN(wide); i++)
        needed |= *wide[i] == UINT32_MAX;
    if (!needed && e->disk != UINT16_MAX)
        return true;
    while (sc_cur_left(&extra) >= 4) {
        const uint16_t id = sc_cur_u16(&extra);
        const uint16_t size = sc_cur_u16(&extra);
        const uint8_t *p = sc_cur_take(&extra, size);
        if (!p)
            return false; // a field longer than the rest: nothing behind it can be read
        if (id != EXTRA_ZIP64)
            continue;
        sc_cur c = sc_cur_init(p, size);
        for (size_t i = 0; i < SC_LEN(wide); i++)
            if (*wide[i] == UINT32_MAX)
                *wide[i] = sc_cur_u64(&c);
        if (e->disk == UINT16_MAX)
            e->disk = sc_cur_u32(&c);
        return sc_cur_ok(&c);
    }
    return false;
}

static sc_code read_entry(sc_cur *c, entry *e, sc_zip_member *m, sc_err *err)
{
    const size_t at = c->pos;
    const uint32_t sig = sc_cur_u32(c);
    sc_cur_skip(c, 4); // versions
    e->flags = sc_cur_u16(c);
    e->method = sc_cur_u16(c);
    sc_cur_skip(c, 4); // time, date
    m->crc = sc_cur_u32(c);
    e->packed = sc_cur_u32(c);
    m->size = sc_cur_u32(c);
    const uint16_t name_size = sc_cur_u16(c);
    e->extra_size = sc_cur_u16(c);
    e->comment_size = sc_cur_u16(c);
    e->disk = sc_cur_u16(c);
    sc_cur_skip(c, 2 + 4); // attributes
    m->head = sc_cur_u32(c);
    const uint8_t *name = sc_cur_take(c, name_size);
    const uint8_t *extra = sc_cur_take(c, e->extra_size);
    sc_cur_skip(c, e->comment_size);
    if (!sc_cur_ok(c) || sig != ENTRY_SIG)
        return sc_fail_at(err, SC_E_FORMAT, at, "an ill-formed entry in the ZIP directory");
    m->name = (sc_str){(const char *)name, name_size};
    if (!name_ok(m->name))
        return sc_fail_at(err, SC_E_FORMAT, at, "a member is called \"%.*s\"", SC_STRF(m->name));
    if (!read_extra64(sc_cur_init(extra, e->extra_size), e, m) || e->disk != 0)
        return sc_fail_at(err, SC_E_FORMAT, at, "%.*s: ill-formed ZIP64 field", SC_STRF(m->name));
    if (e->flags & FLAG_ENCRYPTED)
        return sc_fail_at(err, SC_E_UNSUPPORTED, at, "%.*s is encrypted", SC_STRF(m->name));
    if (e->method != 0)
        return sc_fail_at(err, SC_E_UNSUPPORTED, at,
                          "%.*s is compressed (method %u): save the checkpoint again with "
                          "torch.save, which stores",
                          SC_STRF(m->name), (unsigned)e->method);
    if (e->packed != m->size)
        return sc_fail_at(err, SC_E_FORMAT, at, "%.*s: stored, but of two sizes", SC_STRF(m->name));
    return SC_OK;
}

/* Finds the payload behind the local header, whose extra field has a size of its own. */
static sc_code place_member(const sc_zip *z, const directory *d, const entry *e, sc_zip_member *m,
                            sc_err *err)
{
    sc_cur c = sc_cur_init(z->bytes, (size_t)d->at);
    sc_cur_seek(&c, m->head);
    const uint32_t sig = sc_cur_u32(&c);
    sc_cur_skip(&c, 2); // version
    const uint16_t flags = sc_cur_u16(&c);
    const uint16_t method = sc_cur_u16(&c);
    sc_cur_skip(&c, 4 + 12); // time, date; CRC and sizes, which may stand behind the data instead
    const uint16_t name_size = sc_cur_u16(&c);
    const uint16_t extra_size = sc_cur_u16(&c);
    const char *name = (const char *)sc_cur_take(&c, name_size);
    sc_cur_skip(&c, extra_size);
    if (!sc_cur_ok(&c) || sig != LOCAL_SIG || flags != e->flags || method != e->method ||
        !sc_str_eq((sc_str){name, name_size}, m->name))
        return sc_fail_at(err, SC_E_FORMAT, m->head < z->size ? m->head : z->size,
                          "%.*s: the local header is not what the directory says",
                          SC_STRF(m->name));
    if (m->size > sc_cur_left(&c))
        return sc_fail_at(err, SC_E_FORMAT, m->head,
                          "%.*s is truncated: %" PRIu64 " bytes do not fit", SC_STRF(m->name),
                          m->size);
    m->at = c.pos;
    return SC_OK;
}

static int compare_heads(const void *a, const void *b, void *members)
{
    uint32_t i = 0;
    uint32_t j = 0;
    memcpy(&i, a, sizeof i);
    memcpy(&j, b, sizeof j);
    const sc_zip_member *m = members;
    return (m[i].head > m[j].head) - (m[i].head < m[j].head);
}

static sc_code check_overlap(const sc_zip *z, sc_err *err)
{
    uint32_t *order = sc_alloc(z->n, sizeof *order);
    if (!order)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < z->n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, z->n, sizeof *order, compare_heads, z->member);
    const sc_zip_member *bad = NULL;
    for (size_t i = 1; i < z->n && !bad; i++) {
        const sc_zip_member *before = &z->member[order[i - 1]];
        if (z->member[order[i]].head < before->at + before->size) // inside the file: no wrap
            bad = &z->member[order[i]];
    }
    sc_free(order);
    if (bad)
        return sc_fail_at(err, SC_E_FORMAT, bad->head, "%.*s overlaps another member",
                          SC_STRF(bad->name));
    return SC_OK;
}

static sc_code read_members(sc_zip *z, sc_err *err)
{
    directory d = {0};
    SC_TRY(read_end(z, &d, err));
    z->member = sc_alloc((size_t)d.n, sizeof *z->member);
    if (!z->member)
        return sc_fail_nomem(err);
    sc_cur c = sc_cur_init(z->bytes, (size_t)(d.at + d.size));
    sc_cur_seek(&c, d.at);
    for (; z->n < d.n; z->n++) {
        entry e = {0};
        SC_TRY(read_entry(&c, &e, &z->member[z->n], err));
        SC_TRY(place_member(z, &d, &e, &z->member[z->n], err));
    }
    if (sc_cur_left(&c))
        return sc_fail_at(err, SC_E_FORMAT, c.pos, "more entries than the ZIP directory counts");
    return SC_OK;
}

sc_code sc_zip_parse(const void *bytes, size_t size, sc_zip **out, sc_err *err)
{
    SC_AUTO(sc_zip) *z = sc_new(sc_zip);
    if (!z)
        return sc_fail_nomem(err);
    z->bytes = bytes;
    z->size = size;
    SC_TRY(read_members(z, err));
    SC_TRY(check_overlap(z, err));
    SC_TRY(sc_names_init(&z->names, z->member, z->n, sizeof *z->member, err));
    const size_t twin = sc_names_find_twin(&z->names);
    if (twin != SIZE_MAX)
        return sc_fail_at(err, SC_E_FORMAT, z->member[twin].head, "two members are called %.*s",
                          SC_STRF(z->member[twin].name));
    *out = sc_take(z);
    return SC_OK;
}

void sc_zip_free(sc_zip *z)
{
    if (!z)
        return;
    sc_names_drop(&z->names);
    sc_free(z->member);
    sc_free(z);
}

const sc_zip_member *sc_zip_members(const sc_zip *z, size_t *n)
{
    *n = z->n;
    return z->member;
}

const sc_zip_member *sc_zip_find(const sc_zip *z, sc_str name)
{
    const size_t i = sc_names_find(&z->names, name);
    return i == SIZE_MAX ? NULL : &z->member[i];
}

sc_code sc_zip_check(const sc_zip *z, const sc_zip_member *m, sc_err *err)
{
    const uLong crc = crc32_z(0, z->bytes + m->at, (size_t)m->size);
    if (crc != m->crc)
        return sc_fail_at(err, SC_E_FORMAT, m->at,
                          "%.*s is corrupt: CRC-32 is %08lx, %08" PRIx32 " expected",
                          SC_STRF(m->name), crc, m->crc);
    return SC_OK;
}
