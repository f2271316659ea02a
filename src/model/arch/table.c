// SPDX-License-Identifier: MIT
#include "base/attr.h"
#include "base/buf.h"
#include "model/arch.h"

const sc_arch *const sc_archs[] = {
    &sc_arch_smallcoder,  &sc_arch_llama,      &sc_arch_granite,
    &sc_arch_mistral,     &sc_arch_mixtral,    &sc_arch_qwen2,
    &sc_arch_qwen3,       &sc_arch_qwen3_moe,  &sc_arch_codegen,
    &sc_arch_gpt_bigcode, &sc_arch_starcoder2, &sc_arch_gpt2,
    &sc_arch_gpt_neox,    &sc_arch_phi,        &sc_arch_phi3,
    &sc_arch_stablelm,    &sc_arch_gemma,      NULL,
};

const sc_arch *sc_arch_find(const char *name)
{
    for (const sc_arch *const *a = sc_archs; *a; a++)
        if (strcmp((*a)->name, name) == 0)
            return *a;
    return NULL;
}

static bool listed(const char *const *names, sc_str name)
{
    for (; *names; names++)
        if (sc_str_is(name, *names))
            return true;
    return false;
}

const sc_arch *sc_arch_find_hf(sc_str model_type)
{
    for (const sc_arch *const *a = sc_archs; *a; a++)
        if (listed((*a)->hf, model_type))
            return *a;
    return NULL;
}

const sc_arch *sc_arch_find_gguf(sc_str architecture)
{
    for (const sc_arch *const *a = sc_archs; *a; a++)
        if (listed((*a)->gguf, architecture))
            return *a;
    return NULL;
}

sc_code sc_arch_unknown(sc_str name, bool gguf, sc_err *err)
{
    char known[320] = "";
    size_t n = 0;
    for (const sc_arch *const *a = sc_archs; *a; a++) {
        for (const char *const *s = gguf ? (*a)->gguf : (*a)->hf; *s; s++) {
            const size_t len = strlen(*s);
            if (n + len + 3 > sizeof known)
                break;
            if (n) {
                memcpy(known + n, ", ", 2);
                n += 2;
            }
            memcpy(known + n, *s, len + 1);
            n += len;
        }
    }
    return sc_fail(err, SC_E_UNSUPPORTED, "%s: unknown architecture \"%.*s\"; known: %s",
                   gguf ? "general.architecture" : "model_type", SC_STRF(name), known);
}
