/**
 * codec_parts.h - what both halves of the codec share: the bytes that say what follows, and the
 * classes that are looked up once. For encode.c, decode.c and codec.c alone.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_GUEST_CODEC_PARTS_H
#define SC_GUEST_CODEC_PARTS_H

#include "guest/codec.h"

/*
 * One byte says what follows. Numbers are little-endian; a count is a u32. The mutable containers
 * have a second form in upper case for those that are met more than once (or could be): they get
 * numbers in the order they begin, and REF names one, so shared and cyclic values keep their shape.
 */
enum sc_codec_tag {
    T_NONE = 'N',
    T_TRUE = 'T',
    T_FALSE = 'F',
    T_ELLIPSIS = '.',
    T_NOT_IMPLEMENTED = '!',
    T_INT = 'i',     // i64
    T_BIG = 'I',     // count, that many bytes of two's complement
    T_FLOAT = 'f',   // its 64 bits
    T_COMPLEX = 'c', // two of them
    T_STR = 's',     // count, UTF-8 with lone surrogates
    T_BYTES = 'b',
    T_TUPLE = 't',
    T_NAMED = 'n', // a tuple: the name of its class, a tuple of the fields' names, the values
    T_FROZENSET = 'z',
    T_RANGE = 'r', // three values
    T_SLICE = ':', // three values
    T_ITER = 'j',  // count, what an iterator gave
    T_KEYS = 'k',
    T_VALUES = 'v',
    T_ITEMS = 'm',
    T_HANDLE = 'h',  // i64, count, the type's name
    T_LAZY = 'g',    // as a handle; it is asked for its elements
    T_BUILTIN = 'B', // count, the name of a function or class that both sides have
    T_RAISED =
        'X',      // a class of exceptions: i64, count, MODULE.NAME, then the class it descends from
    T_REF = 'R',  // u32
    T_MAKE = 'M', // one byte: a class of the table, then a tuple of arguments
    T_LIST = 'L',
    T_DICT = 'D',
    T_SET = 'S',
    T_BYTEARRAY = 'A',
    T_DEQUE = 'Q', // the maximal length, then a list's form
    T_COUNTER = 'C',
    T_ORDERED = 'O',
    T_DEFAULT = 'E', // the factory, then a dict's form
    T_OLD = '=',     // u32: of the request's objects; then its form
};

/* Classes that are made again from the arguments of a call. */
enum sc_codec_class {
    MADE_DECIMAL,
    MADE_FRACTION,
    MADE_DATE,
    MADE_TIME,
    MADE_DATETIME,
    MADE_TIMEDELTA,
    MADE_TIMEZONE,
    MADE_ZONE,
    MADE_N
};

struct sc_codec {
    PyObject *made[MADE_N]; // owned; NULL until such a value is met
    PyObject *deque, *counter, *ordered;
    PyObject *with_factory; // collections.defaultdict
    PyObject *named;        // owned dict: (name, fields) to the class made for them
};

/** A new reference to an attribute of a module, or NULL with a Python exception set. */
PyObject *sc_codec_attribute(const char *module, const char *name);

/** The class itself (borrowed), looked up when first needed; NULL with a Python exception set. */
PyObject *sc_codec_made(sc_codec *c, enum sc_codec_class which);

/** Fetches what the encoder tells dates by, before a sample can change the module; false with a
 * Python exception set. */
bool sc_codec_know_dates(void);

/** Whether `tz`, the zone of a date, is one that both sides can make: none, a fixed one, a named
 * one. */
bool sc_codec_knows_zone(PyObject *tz);

#endif
