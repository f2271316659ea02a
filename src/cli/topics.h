/**
 * topics.h - the pages of `scbench help TOPIC`.
 *
 * Threads: immutable.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_CLI_TOPICS_H
#define SC_CLI_TOPICS_H

typedef struct sc_topic {
    const char *name;
    const char *summary;
    const char *text;
} sc_topic;

/** The topics; a row without a name ends them. */
extern const sc_topic sc_topics[];

/** Their names; NULL ends the list. */
extern const char *const sc_topic_names[];

#endif
