// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/version.h"

#include <openssl/crypto.h>

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

static sc_code run(sc_cli *cli, sc_err *err)
{
    if (sc_cli_json(cli)) {
        SC_AUTO_JSON *v = sc_version_json();
        return sc_cli_put_json(cli, v, err);
    }
    (void)fprintf(cli->out, "scbench %s\n", SC_VERSION); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_version = {
    .name = "version",
    .summary = "version, compiler and build flags",
    .options = "json",
    .run = run,
};
