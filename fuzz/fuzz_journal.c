// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "report/report.h"
#include "store/journal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_records) all = {0};
    bool torn = false;
    if (sc_journal_parse((sc_str){(const char *)bytes, size}, &all, &torn, &err) != SC_OK)
        return 0;

    // The promise of record.h: what was read can be written, and reads back the same.
    for (size_t i = 0; i < all.n; i++) {
        SC_AUTO_JSON *v = sc_record_json(&all.p[i]);
        SC_AUTO(sc_record) back = {0};
        if (!v || sc_record_parse(v, &back, &err) != SC_OK || back.seed != all.p[i].seed ||
            back.n_token_s != all.p[i].n_token_s)
            abort();
    }
    // And every report can be made of it.
    SC_AUTO_JSON *run = json_pack("{s:{s:i, s:i}, s:[], s:[{s:s}]}", "protocol", "max_tokens", 150,
                                  "samples", 1, "suites", "models", "label", "m");
    SC_AUTO(sc_report) report = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(64u << 20);
    if (sc_report_make(run, &all, &report, &err) != SC_OK)
        abort();
    sc_report_run_json(&report, &text);
    sc_report_markdown(&report, &text);
    sc_report_seed_json(&report, &text);
    sc_report_seed_markdown(&report, "", &text);
    return 0;
}
