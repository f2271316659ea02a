/* The hub's answers: listings, links to the next page, the commit; then what is chosen of them. */
// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "hub/choose.h"
#include "hub/listing.h"
#include "hub/name.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The promise of listing.h: every path is safe and every hash is one; that of choose.h: indices. */
static void use(const sc_hub_listing *l, sc_str pattern)
{
    sc_hub_file *files = sc_alloc(l->n, sizeof *files);
    if (!files)
        return;
    for (size_t i = 0; i < l->n; i++) {
        const size_t digits = strlen(l->at[i].hash);
        files[i] = (sc_hub_file){.path = sc_str_c(l->at[i].path), .size = l->at[i].size};
        if (!sc_hub_path_is_safe(files[i].path) || (digits != 40 && digits != 64))
            abort();
    }
    for (int want = SC_HUB_MODEL; want <= SC_HUB_TOKENIZER; want++) {
        sc_err err = {0};
        size_t single = SC_HUB_FOLDER;
        if (sc_hub_choose(files, l->n, (sc_hub_want)want, pattern, &single, &err) == SC_OK &&
            single != SC_HUB_FOLDER && (single >= l->n || !files[single].take))
            abort();
    }
    sc_free(files);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    // The first line is a link header, a name and a pattern; the rest a page.
    const sc_str all = {(const char *)bytes, size};
    const char *end = size ? memchr(all.p, '\n', size) : NULL;
    const sc_str head = {all.p, end ? (size_t)(end - all.p) : 0};
    const sc_str page = sc_str_skip(all, end ? head.n + 1 : 0);
    sc_err err = {0};
    const sc_str next = sc_hub_link_next(head);
    if (next.n && (next.p < head.p || next.p + next.n > head.p + head.n))
        abort();
    sc_hub_name name = {0};
    if (sc_hub_name_parse(head, &name, &err) == SC_OK &&
        (!sc_hub_path_is_safe(name.repo) || !sc_hub_path_is_safe(name.revision)))
        abort();
    char commit[41];
    if (sc_hub_listing_commit(page, commit, &err) == SC_OK && strlen(commit) != 40)
        abort();
    SC_AUTO(sc_hub_listing) l = {0};
    if (sc_hub_listing_add(&l, page, &err) != SC_OK && err.code == SC_OK)
        abort();
    use(&l, name.pattern); // what was added before an error is whole too
    return 0;
}
