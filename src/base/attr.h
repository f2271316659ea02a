/**
 * attr.h - compiler attributes and the scope-bound ownership macros of the house style.
 *
 * Threads: immutable (macros only).
 */
// SPDX-License-Identifier: MIT
#ifndef SC_BASE_ATTR_H
#define SC_BASE_ATTR_H

/** The result must be looked at; cast to (void) with a reason to ignore it. */
#define SC_CHECKED __attribute__((warn_unused_result))

/** Returns fresh memory that `release` frees; gcc's analyser finds leaks by it. */
#if defined(__clang__)
#define SC_ALLOCATES(release) __attribute__((malloc))
#else
#define SC_ALLOCATES(release) __attribute__((malloc, malloc(release, 1)))
#endif

/** Argument `fmt` is a printf format for the arguments from `args` on (0: a va_list). */
#define SC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/** The number of elements of an array (not of a pointer). */
#define SC_LEN(array) (sizeof(array) / sizeof((array)[0]))

/** Declares a variable that releases itself at the end of its scope. */
#define SC_AUTO(T) __attribute__((cleanup(T##_auto))) T

/** Lets `SC_AUTO(T) *p = NULL;` call `destroy(p)`; `destroy` accepts NULL. */
#define SC_AUTO_DEFINE(T, destroy)                                                                 \
    static inline void T##_auto(T **p)                                                             \
    {                                                                                              \
        destroy(*p);                                                                               \
    }                                                                                              \
    struct T##_auto_needs_semicolon

/** Lets `SC_AUTO(T) v = {0};` call `drop(&v)` for a struct in the caller's storage. */
#define SC_AUTO_DEFINE_VALUE(T, drop)                                                              \
    static inline void T##_auto(T *v)                                                              \
    {                                                                                              \
        drop(v);                                                                                   \
    }                                                                                              \
    struct T##_auto_needs_semicolon

/** Moves ownership out of the variable `p`, which becomes NULL. */
#define sc_take(p)                                                                                 \
    __extension__({                                                                                \
        __auto_type taken_ = (p);                                                                  \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

#endif
