/**
 * cost.h - what a step must do at least: multiply-adds and bytes that no order of work avoids.
 *
 * The shapes and stored types of the net decide; nothing is measured.
 *
 * Threads: immutable (pure functions).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_COST_H
#define SC_MODEL_COST_H

#include "model/model.h"
#include "model/net.h"

/** See sc_model_cost. */
sc_cost sc_cost_of(const sc_net *net, sc_kv kv, sc_compute compute, const sc_step_shape *s);

#endif
