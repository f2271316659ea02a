// SPDX-License-Identifier: MIT
#include "tok/vocab.h"

#include "base/mem.h"

#include <inttypes.h>
#include <sys/random.h>

#define MAX_POOL ((size_t)1 << 31)

enum { MAX_ITEMS = 1 << 25 };

uint64_t sc_vocab_random(void)
{
    uint64_t key = 0;
    // Without the system's random bits the addresses of this process must do.
    if (getrandom(&key, sizeof key, GRND_NONBLOCK) != (ssize_t)sizeof key)
        key = (uint64_t)(uintptr_t)&key * UINT64_C(0x9E3779B97F4A7C15);
    return key | 1;
}

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t a, uint64_t b)
{
    const wide p = (wide)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t load64(const char *p)
{
    uint64_t v = 0;
    memcpy(&v, p, 8);
    return v;
}

/* The last 0 to 8 bytes of a text of `n` bytes, all of them in the result. */
static uint64_t load_end(const char *p, size_t n)
{
    if (n == 8)
        return load64(p);
    if (n >= 4) {
        uint32_t a = 0;
        uint32_t b = 0;
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        return (uint64_t)a << 32 | b;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

uint64_t sc_vocab_hash(uint64_t key, const char *p, size_t n)
{
    uint64_t h = key ^ ((uint64_t)n * UINT64_C(0x9E3779B97F4A7C15));
    while (n > 8) {
        h = mix(h ^ load64(p), key ^ UINT64_C(0xD6E8FEB86659FD93));
        p += 8;
        n -= 8;
    }
    return mix(h ^ load_end(p, n), key ^ UINT64_C(0xA0761D6478BD642F));
}

static sc_code make_slots(sc_vocab *v, size_t n, sc_err *err)
{
    size_t size = 64;
    while (size < 2 * n)
        size *= 2;
    uint32_t *slot = sc_alloc(size, sizeof *slot);
    if (!slot)
        return sc_fail_nomem(err);
    sc_free(v->slot);
    v->slot = slot;
    v->mask = size - 1;
    for (size_t i = 0; i < v->n_items; i++) {
        size_t at = v->item[i].hash & v->mask;
        while (slot[at])
            at = (at + 1) & v->mask;
        slot[at] = (uint32_t)i + 1;
    }
    return SC_OK;
}

sc_code sc_vocab_init(sc_vocab *v, size_t n, sc_err *err)
{
    *v = (sc_vocab){.key = sc_vocab_random()};
    if (n > MAX_ITEMS)
        n = MAX_ITEMS;
    v->cap_items = n + 16;
    v->item = sc_alloc(v->cap_items, sizeof *v->item);
    if (!v->item)
        return sc_fail_nomem(err);
    return make_slots(v, n + n / 4, err);
}

void sc_vocab_drop(sc_vocab *v)
{
    sc_free(v->pool);
    sc_free(v->item);
    sc_free(v->slot);
    sc_free(v->of_id);
    *v = (sc_vocab){0};
}

/* The item of `text`, or NULL. */
static sc_vocab_item *find_item(const sc_vocab *v, sc_str text, uint32_t hash)
{
    if (!v->slot)
        return NULL;
    for (size_t at = hash & v->mask; v->slot[at]; at = (at + 1) & v->mask) {
        sc_vocab_item *item = &v->item[v->slot[at] - 1];
        if (item->hash == hash && sc_str_eq((sc_str){v->pool + item->at, item->n}, text))
            return item;
    }
    return NULL;
}

static sc_code grow_ids(sc_vocab *v, int64_t id, sc_err *err)
{
    if ((size_t)id < v->cap_ids)
        return SC_OK;
    size_t cap = v->cap_ids ? v->cap_ids : 1024;
    while (cap <= (size_t)id)
        cap *= 2;
    int32_t *of_id = sc_realloc(v->of_id, cap, sizeof *of_id);
    if (!of_id)
        return sc_fail_nomem(err);
    for (size_t i = v->cap_ids; i < cap; i++)
        of_id[i] = -1;
    v->of_id = of_id;
    v->cap_ids = cap;
    return SC_OK;
}

static sc_code grow_pool(sc_vocab *v, size_t more, sc_err *err)
{
    if (more >= MAX_POOL || v->n_pool + more > MAX_POOL)
        return sc_fail(err, SC_E_LIMIT, "the texts of the vocabulary take more than 2 GiB");
    if (v->n_pool + more <= v->cap_pool)
        return SC_OK;
    size_t cap = v->cap_pool ? v->cap_pool : 4096;
    while (cap < v->n_pool + more)
        cap *= 2;
    char *pool = sc_realloc(v->pool, cap, 1);
    if (!pool)
        return sc_fail_nomem(err);
    v->pool = pool;
    v->cap_pool = cap;
    return SC_OK;
}

sc_code sc_vocab_reserve(sc_vocab *v, size_t n_ids, size_t n_bytes, sc_err *err)
{
    if (n_ids)
        SC_TRY(grow_ids(v, (int64_t)n_ids - 1, err));
    return grow_pool(v, n_bytes, err);
}

/* Puts a new text behind the others. */
static sc_code add_item(sc_vocab *v, sc_str text, int64_t id, uint32_t hash, sc_err *err)
{
    if (v->n_items == v->cap_items &&
        !sc_grow(&v->item, &v->cap_items, v->n_items, MAX_ITEMS, sizeof *v->item))
        return sc_fail(err, SC_E_NOMEM, "out of memory for %zu tokens", v->n_items);
    SC_TRY(grow_pool(v, text.n + 1, err));
    if (2 * (v->n_items + 1) > v->mask)
        SC_TRY(make_slots(v, 2 * v->n_items, err));
    if (text.n)
        memcpy(v->pool + v->n_pool, text.p, text.n);
    v->item[v->n_items] = (sc_vocab_item){
        .at = (uint32_t)v->n_pool, .n = (uint32_t)text.n, .id = (int32_t)id, .hash = hash};
    v->n_pool += text.n;
    size_t at = hash & v->mask;
    while (v->slot[at])
        at = (at + 1) & v->mask;
    v->slot[at] = (uint32_t)++v->n_items;
    return SC_OK;
}

sc_code sc_vocab_add(sc_vocab *v, sc_str text, int64_t id, bool *is_new, sc_err *err)
{
    if (id < 0 || id > SC_VOCAB_MAX_ID)
        return sc_fail(err, SC_E_FORMAT, "token \"%.*s\": id %" PRId64 ", 0 to %d expected",
                       SC_STRF(text), id, SC_VOCAB_MAX_ID);
    const uint32_t hash = (uint32_t)sc_vocab_hash(v->key, text.p, text.n);
    SC_TRY(grow_ids(v, id, err));
    sc_vocab_item *old = find_item(v, text, hash);
    if (is_new)
        *is_new = !old;
    if (old)
        old->id = (int32_t)id;
    else
        SC_TRY(add_item(v, text, id, hash, err));
    v->of_id[id] = (int32_t)(old ? old - v->item : (ptrdiff_t)v->n_items - 1);
    if ((size_t)id >= v->n_ids)
        v->n_ids = (size_t)id + 1;
    return SC_OK;
}

int32_t sc_vocab_find_hashed(const sc_vocab *v, sc_str text, uint32_t hash)
{
    const sc_vocab_item *item = find_item(v, text, hash);
    return item ? item->id : -1;
}

int32_t sc_vocab_find(const sc_vocab *v, sc_str text)
{
    return sc_vocab_find_hashed(v, text, (uint32_t)sc_vocab_hash(v->key, text.p, text.n));
}

uint32_t sc_vocab_fetch(const sc_vocab *v, sc_str text)
{
    const uint32_t hash = (uint32_t)sc_vocab_hash(v->key, text.p, text.n);
    if (v->slot)
        __builtin_prefetch(&v->slot[hash & v->mask]);
    return hash;
}

void sc_vocab_fetch_item(const sc_vocab *v, uint32_t hash)
{
    const uint32_t slot = v->slot ? v->slot[hash & v->mask] : 0;
    if (slot)
        __builtin_prefetch(&v->item[slot - 1]);
}

bool sc_vocab_is(const sc_vocab *v, int32_t id, sc_str left, sc_str right)
{
    if (!sc_vocab_has(v, id))
        return false;
    const sc_vocab_item *item = &v->item[v->of_id[id]];
    const char *p = v->pool + item->at;
    // A text whose id was changed is still named by the one before.
    return item->id == id && item->n == left.n + right.n && memcmp(p, left.p, left.n) == 0 &&
           memcmp(p + left.n, right.p, right.n) == 0;
}

bool sc_vocab_has(const sc_vocab *v, int32_t id)
{
    return id >= 0 && (size_t)id < v->n_ids && v->of_id[id] >= 0;
}

sc_str sc_vocab_text(const sc_vocab *v, int32_t id)
{
    if (!sc_vocab_has(v, id))
        return (sc_str){"", 0};
    const sc_vocab_item *item = &v->item[v->of_id[id]];
    return (sc_str){v->pool + item->at, item->n};
}
