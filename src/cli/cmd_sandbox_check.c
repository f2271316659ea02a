// SPDX-License-Identifier: MIT
#include "box/attack.h"
#include "cli/sandbox.h"

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_box) *box = NULL;
    SC_TRY(sc_cli_open_box(cli, &box, err));
    sc_cli_warn_level(cli, box);
    static sc_attack_result result[SC_ATTACK_MAX]; // large for the stack
    size_t n = 0;
    SC_TRY(sc_attack_report(box, result, &n, err));
    const char *group = sc_box_cgroup(box);
    size_t held = 0;
    SC_AUTO_JSON *list = json_array();
    for (size_t i = 0; i < n; i++) {
        held += result[i].held;
        if (!sc_cli_json(cli))
            (void)fprintf(cli->out, "%s  %s%s%s\n", result[i].held ? "holds " : "BROKEN",
                          result[i].name, result[i].detail[0] ? ": " : "",
                          result[i].detail); // main asks ferror once
        else if (!list ||
                 json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "attack", result[i].name,
                                                       "held", result[i].held, "detail",
                                                       sc_json_text(sc_str_c(result[i].detail)))))
            return sc_fail_nomem(err);
    }
    const char *level = sc_box_level_name(sc_box_level_of(box));
    cli->status = held == n ? SC_EXIT_OK : SC_EXIT_SANDBOX;
    if (sc_cli_json(cli)) {
        SC_AUTO_JSON *o =
            json_pack("{s:s, s:s?, s:s, s:b, s:I, s:I, s:s, s:f, s:O}", "level", level, "cgroup",
                      group, "why_not_higher", sc_box_level_why(box), "ok", held == n, "held",
                      (json_int_t)held, "attacks", (json_int_t)n, "python", sc_box_python(box),
                      "slowness", sc_box_slowness(box), "results", list);
        return sc_cli_put_json(cli, o, err);
    }
    (void)fprintf(cli->out,
                  "level %s, %zu of %zu attacks held%s%s\nslowness %.2f (docs/SANDBOX.md)\n", level,
                  held, n, *sc_box_level_why(box) ? "; not higher because of " : "",
                  sc_box_level_why(box), sc_box_slowness(box)); // main asks ferror once
    if (group) // every sample was in it, or the verdicts above would not be there
        (void)fprintf(cli->out, "control group %s: memory, pids\n", group); // as above
    return SC_OK;
}

const sc_cmd sc_cmd_sandbox_check = {
    .name = "sandbox check",
    .summary = "attack the sandbox and say what holds",
    .about =
        "Opens the sandbox at the best level of this machine (or at --level), lets a program in it "
        "try to get out, and prints for every attack whether the lock held. Exit code 6 when one "
        "did not, or when the level asked for is not to be had.",
    .examples = "scbench sandbox check\nscbench sandbox check --level full --json\n",
    .options = "jobs level allow-unsafe-exec cgroup json",
    .run = run,
};
