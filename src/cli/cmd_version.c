// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/version.h"

#include <openssl/crypto.h>
#include <string.h>

#ifndef SC_BUILD_FLAGS
#define SC_BUILD_FLAGS ""
#endif

json_t *sc_version_json(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "program", "scbench", "version", SC_VERSION,
                     "compiler", __VERSION__, "build", SC_BUILD_FLAGS, "jansson",
                     jansson_version_str(), "libcrypto",
                     OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
}

// Made from schemas/ at build time.
extern const unsigned char sc_schema_run[], sc_schema_sample[], sc_schema_seed[], sc_schema_speed[];
extern const size_t sc_schema_run_size, sc_schema_sample_size, sc_schema_seed_size,
    sc_schema_speed_size;

static void put_schema(const sc_cli *cli, const char *name)
{
    const struct {
        const char *name;
        const unsigned char *text;
        size_t size;
    } schemas[] = {{"run", sc_schema_run, sc_schema_run_size},
                   {"sample", sc_schema_sample, sc_schema_sample_size},
                   {"seed", sc_schema_seed, sc_schema_seed_size},
                   {"speed", sc_schema_speed, sc_schema_speed_size}};
    for (size_t i = 0; i < SC_LEN(schemas); i++)
        if (strcmp(schemas[i].name, name) == 0)
            (void)fwrite(schemas[i].text, 1, schemas[i].size, cli->out); // main asks ferror once
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const char *schema = sc_args_text(cli->args, "schema");
    if (schema) {
        put_schema(cli, schema);
        return SC_OK;
    }
    if (sc_cli_json(cli)) {
        SC_AUTO_JSON *v = sc_version_json();
        return sc_cli_put_json(cli, v, err);
    }
    (void)fprintf(cli->out, "scbench %s\n", SC_VERSION); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_version = {
    .name = "version",
    .summary = "version, compiler, build flags; the schemas of our files",
    .examples = "scbench version --json\nscbench version --schema sample > sample.schema.json\n",
    .options = "json schema",
    .no_settings = true,
    .run = run,
};
