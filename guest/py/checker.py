# Runs in the checker (run_split) and, for tests that cannot be taken apart, in the sample (prepare_single).
import builtins as _builtins
import random as _random
import sys as _sys

_STDLIB = _sys.stdlib_module_names
# Compiled tests. A run goes through all its tasks again and again, so there is room for those of a whole suite.
_cache = {}
_CACHE_TASKS, _CACHE_TEXT = 2048, 8 << 20
_cached_text = 0


class _Space(dict):
    """The globals of the tests: what they do not define is asked of the solution."""

    __slots__ = ('_find',)

    def __missing__(self, name):
        if hasattr(_builtins, name) or name.startswith('__'):
            raise KeyError(name)
        value = self._find(name)
        if type(value).__name__ == 'Handle' and name in _STDLIB and repr(value).startswith('<module '):
            # A module that the solution imported: ours, not the solution's copy of it.
            value = __import__(name)
        self[name] = value
        return value


def _compile(context, test):
    global _cached_text
    key = (context, test)
    found = _cache.get(key)
    if found is None:
        found = (compile(context, '<context>', 'exec', dont_inherit=True) if context else None,
                 compile(test, '<tests>', 'exec', dont_inherit=True))
        _cached_text += len(context) + len(test)
        if len(_cache) >= _CACHE_TASKS or _cached_text > _CACHE_TEXT:
            _cache.clear()
            _cached_text = len(context) + len(test)
        _cache[key] = found
    return found


def _imports(space, entry):
    """Names that the context gives the tests; the entry point is the sample's alone."""
    space.pop(entry, None)


def run_split(context, test, entry, candidate, find):
    """True when the last line of the tests was reached; a text when the tests are not Python."""
    try:
        own_check = 'def check(' in test
        context, test = _compile(context, test)
    except (SyntaxError, ValueError) as e:
        return 'the tests do not compile: %s' % e
    _random.seed(0)
    space = _Space()
    space._find = find
    space['__name__'] = '__tests__'
    space['__builtins__'] = _builtins
    if context is not None:
        exec(context, space)
        _imports(space, entry)
    missing = candidate is type(...)
    if entry and not missing:
        space[entry] = candidate
    exec(test, space)
    if entry and own_check and dict.__contains__(space, 'check'):
        if missing:
            find(entry)
        space['check'](candidate)
    return True


def prepare_single(context, test, entry, path):
    """Tests compiled and built-ins kept before the program runs; the result runs them after it."""
    own_check = 'def check(' in test
    test = compile(test, '<tests>', 'exec', dont_inherit=True)
    kept = dict(vars(_builtins))
    seed, error, assertion = _random.seed, BaseException, AssertionError
    memory = MemoryError
    exec_, type_, str_, isinstance_, getattr_ = exec, type, str, isinstance, getattr

    def line_in(e, name):
        line, trace = 0, e.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == name:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line

    def run(program):
        space = dict(program)
        space['__name__'] = '__tests__'
        space['__builtins__'] = kept
        seed(0)
        try:
            exec_(test, space)
            if entry and own_check and 'check' in space:
                space['check'](space[entry])
        except error as e:
            line = line_in(e, path)
            inside = line != 0 and line_in(e, '<tests>') == 0
            last = e.__traceback__
            while last.tb_next is not None:
                last = last.tb_next
            inside = inside or last.tb_frame.f_code.co_filename == path
            if isinstance_(e, memory):
                outcome = 5
            elif isinstance_(e, assertion) and not inside:
                outcome = 2
            else:
                outcome = 3 if inside else 2
            text = str_(e) if type_(e).__module__ == 'builtins' else ''
            return (outcome, line or line_in(e, '<tests>'), type_(e).__name__, text[:2000])
        return (1, 0, '', '')

    return run
