/**
 * export_vocab.h - a tokenizer as the vocabulary of a GGUF file.
 *
 * GGUF names the way text is cut (`tokenizer.ggml.pre`) instead of saying it. The name is found by
 * trying: the vocabulary is built under each known name, read back, and must give the same ids as
 * the tokenizer itself on a text made to tell them apart. When no name fits, the nearest is
 * written and the tokenizer.json itself beside it (`tokenizer.huggingface.json`): this program
 * reads that one, llama.cpp cuts text as the name says. The report tells how far they differ.
 *
 * Threads: one thread at a time.
 * Source:  llama.cpp, convert_hf_to_gguf.py (what goes into which key).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_MODEL_EXPORT_VOCAB_H
#define SC_MODEL_EXPORT_VOCAB_H

#include "fmt/gguf_write.h"
#include "model/config.h"

/** How the vocabulary was written. */
typedef struct sc_export_vocab_report {
    const char *pre; // tokenizer.ggml.pre when it only comes near; NULL: it fits
    size_t n_probe;  // tokens of the text that was tried
    size_t n_differ; // of them, those that another cut changes
} sc_export_vocab_report;

/**
 * Puts the tokenizer at `path` into `w`: any that sc_tok_open reads, alone or in a folder.
 *
 * The list of tokens is filled up to the model's vocabulary with unused ones.
 *
 * Errors: SC_E_UNSUPPORTED a kind of tokenizer that GGUF does not have; SC_E_FORMAT more tokens
 *         than the model has; those of sc_tok_open
 */
sc_code sc_export_vocab(sc_gguf_writer *w, const char *path, const sc_config *c,
                        sc_export_vocab_report *report, sc_err *err) SC_CHECKED;

/** Says that the file has no vocabulary: it then works with token ids only. */
void sc_export_no_vocab(sc_gguf_writer *w);

#endif
