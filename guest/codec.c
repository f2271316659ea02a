// SPDX-License-Identifier: MIT
#include "guest/codec_parts.h"

#include "base/mem.h"

PyObject *sc_codec_attribute(const char *module, const char *name)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *a = m ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    return a;
}

sc_codec *sc_codec_new(void)
{
    sc_codec *c = sc_codec_know_dates() ? sc_new(sc_codec) : NULL;
    if (!c)
        return NULL;
    c->deque = sc_codec_attribute("collections", "deque");
    c->counter = sc_codec_attribute("collections", "Counter");
    c->ordered = sc_codec_attribute("collections", "OrderedDict");
    c->with_factory = sc_codec_attribute("collections", "defaultdict");
    c->named = PyDict_New();
    if (c->deque && c->counter && c->ordered && c->with_factory && c->named)
        return c;
    sc_free(c); // only on the way out of a start that failed
    return NULL;
}

/* A class that is looked up when first needed: decimal and fractions cost time to import. */
PyObject *sc_codec_made(sc_codec *c, enum sc_codec_class which)
{
    static const char *const name[MADE_N][2] = {
        [MADE_DECIMAL] = {"decimal", "Decimal"},    [MADE_FRACTION] = {"fractions", "Fraction"},
        [MADE_DATE] = {"datetime", "date"},         [MADE_TIME] = {"datetime", "time"},
        [MADE_DATETIME] = {"datetime", "datetime"}, [MADE_TIMEDELTA] = {"datetime", "timedelta"},
        [MADE_TIMEZONE] = {"datetime", "timezone"}, [MADE_ZONE] = {"zoneinfo", "ZoneInfo"},
    };
    if (!c->made[which])
        c->made[which] = sc_codec_attribute(name[which][0], name[which][1]);
    return c->made[which];
}
