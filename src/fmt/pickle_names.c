// SPDX-License-Identifier: MIT
#include "fmt/pickle_names.h"

#include "base/attr.h"

static bool is_builtins(sc_str module)
{
    return sc_str_is(module, "builtins") || sc_str_is(module, "__builtin__");
}

static bool is_one_of(sc_str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sc_str_is(s, list[i]))
            return true;
    return false;
}

bool sc_pickle_name_is_hostile(sc_str module, sc_str name)
{
    static const char *const modules[] = {
        "_ctypes",
        "_pickle",
        "_posixsubprocess",
        "asyncio",
        "bdb",
        "cPickle",
        "code",
        "codeop",
        "commands",
        "ctypes",
        "dill",
        "cloudpickle",
        "ftplib",
        "http",
        "imp",
        "importlib",
        "joblib",
        "linecache",
        "marshal",
        "multiprocessing",
        "nt",
        "os",
        "pdb",
        "pickle",
        "pip",
        "popen2",
        "posix",
        "posixpath",
        "profile",
        "cProfile",
        "pty",
        "pydoc",
        "requests",
        "runpy",
        "shelve",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "timeit",
        "trace",
        "types",
        "urllib",
        "venv",
        "webbrowser",
        "xmlrpc",
        "zipimport",
    };
    static const char *const functions[] = {
        "__import__", "apply",    "breakpoint", "compile",    "delattr", "dir",     "eval",
        "exec",       "execfile", "exit",       "file",       "getattr", "globals", "help",
        "input",      "locals",   "map",        "memoryview", "open",    "print",   "property",
        "quit",       "reload",   "setattr",    "super",      "type",    "vars",
    };
    static const char *const torch_modules[] = {"torch.hub",     "torch.package",
                                                "torch.jit",     "torch.utils.cpp_extension",
                                                "torch._dynamo", "torch._inductor"};
    if (is_builtins(module))
        return is_one_of(name, functions, SC_LEN(functions));
    for (size_t i = 0; i < SC_LEN(torch_modules); i++)
        if (sc_str_starts(module, sc_str_c(torch_modules[i])))
            return true;
    if ((sc_str_is(module, "torch") || sc_str_is(module, "torch.serialization")) &&
        sc_str_is(name, "load"))
        return true;
    const char *dot = module.n ? memchr(module.p, '.', module.n) : NULL;
    const sc_str top = {module.p, dot ? (size_t)(dot - module.p) : module.n};
    return is_one_of(top, modules, SC_LEN(modules));
}

bool sc_pickle_name_is_dict(sc_str module, sc_str name)
{
    if (sc_str_is(module, "collections"))
        return sc_str_is(name, "OrderedDict") || sc_str_is(name, "defaultdict") ||
               sc_str_is(name, "Counter");
    return is_builtins(module) && sc_str_is(name, "dict");
}

bool sc_pickle_name_is_set(sc_str module, sc_str name)
{
    return is_builtins(module) && (sc_str_is(name, "set") || sc_str_is(name, "frozenset"));
}
