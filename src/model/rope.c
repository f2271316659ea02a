// SPDX-License-Identifier: MIT
#include "model/rope.h"

#include <math.h>

#define TWO_PI 6.283185307179586

/*
 * The inverse frequencies for a base. Rounded to float after each step as the library does: far
 * into a text the angle of a frequency that is more exact differs from the one the model was
 * trained and is compared with.
 */
static void plain(float *inv, uint32_t dim, double base)
{
    for (uint32_t i = 0; i < dim / 2; i++)
        inv[i] = 1.0f / powf((float)base, (float)(2 * i) / (float)dim);
}

static void llama3(float *inv, const sc_rope_conf *r)
{
    const float low = (float)(r->orig_ctx / r->low_freq_factor);
    const float high = (float)(r->orig_ctx / r->high_freq_factor);
    const float factor = (float)r->factor, orig = (float)r->orig_ctx;
    for (uint32_t i = 0; i < r->dim / 2; i++) {
        const float f = inv[i], wave = (float)TWO_PI / f;
        if (wave > low) {
            inv[i] = f / factor;
        } else if (!(wave < high)) {
            const float s = (orig / wave - (float)r->low_freq_factor) /
                            (float)(r->high_freq_factor - r->low_freq_factor);
            inv[i] = (1 - s) * f / factor + s * f;
        }
    }
}

/* The pair that makes `turns` full turns over the original context. */
static double yarn_pair(const sc_rope_conf *r, double turns)
{
    return r->dim * log(r->orig_ctx / (turns * TWO_PI)) / (2 * log(r->theta));
}

static void yarn(float *inv, const sc_rope_conf *r)
{
    double low = yarn_pair(r, r->beta_fast), high = yarn_pair(r, r->beta_slow);
    if (r->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, (double)r->dim - 1);
    if (!(low < high) && !(low > high))
        high += 0.001;
    for (uint32_t i = 0; i < r->dim / 2; i++) {
        const float power = powf((float)r->theta, (float)(2 * i) / (float)r->dim);
        const float whole = 1.0f / power, part = 1.0f / ((float)r->factor * power);
        const float ramp = ((float)i - (float)low) / (float)(high - low);
        const float keep = 1 - fminf(fmaxf(ramp, 0), 1);
        inv[i] = part * (1 - keep) + whole * keep;
    }
}

static double mscale(double factor, double m)
{
    return factor <= 1 ? 1 : 0.1 * m * log(factor) + 1;
}

static double yarn_scale(const sc_rope_conf *r)
{
    if (r->attention_factor > 0)
        return r->attention_factor;
    if (fabs(r->mscale) > 0 && fabs(r->mscale_all_dim) > 0)
        return mscale(r->factor, r->mscale) / mscale(r->factor, r->mscale_all_dim);
    return mscale(r->factor, 1);
}

static double long_scale(const sc_rope_conf *r)
{
    if (r->attention_factor > 0)
        return r->attention_factor;
    return r->factor <= 1 ? 1 : sqrt(1 + log(r->factor) / log(r->orig_ctx));
}

void sc_rope_init(sc_rope_table *t, const sc_config *c)
{
    const sc_rope_conf *r = &c->rope;
    t->conf = *r;
    t->scale = 1;
    plain(t->inv, r->dim, r->theta);
    switch (r->kind) {
    case SC_ROPE_LINEAR:
        for (uint32_t i = 0; i < r->dim / 2; i++)
            t->inv[i] /= (float)r->factor;
        break;
    case SC_ROPE_LLAMA3:
        llama3(t->inv, r);
        break;
    case SC_ROPE_YARN:
        yarn(t->inv, r);
        t->scale = (float)yarn_scale(r);
        break;
    case SC_ROPE_LONG:
        for (uint32_t i = 0; i < r->dim / 2; i++) {
            const float power = powf((float)r->theta, (float)(2 * i) / (float)r->dim);
            t->inv_long[i] = 1.0f / (r->long_div[i] * power);
            t->inv[i] = 1.0f / (r->short_div[i] * power);
        }
        t->scale = (float)long_scale(r);
        break;
    case SC_ROPE_PLAIN:
    case SC_ROPE_DYNAMIC:
        break;
    }
}

void sc_rope_angles(const sc_rope_table *t, uint32_t pos, uint32_t len, float *cos_out,
                    float *sin_out)
{
    const sc_rope_conf *r = &t->conf;
    const uint32_t half = r->dim / 2;
    const float *inv = t->inv;
    float stretched[SC_CONFIG_MAX_ROPE];
    if (r->kind == SC_ROPE_LONG && len > r->orig_ctx)
        inv = t->inv_long;
    if (r->kind == SC_ROPE_DYNAMIC && len > r->orig_ctx) {
        const float grow =
            (float)r->factor * (float)len / (float)r->orig_ctx - (float)(r->factor - 1);
        const float more = powf(grow, (float)((double)r->dim / ((double)r->dim - 2)));
        plain(stretched, r->dim, (double)((float)r->theta * more));
        inv = stretched;
    }
    for (uint32_t i = 0; i < half; i++) {
        const float angle = (float)pos * inv[i];
        cos_out[i] = cosf(angle) * t->scale;
        sin_out[i] = sinf(angle) * t->scale;
    }
}
