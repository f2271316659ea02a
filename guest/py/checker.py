# Runs in the checker (run_split) and, for tests that cannot be taken apart, in the sample (prepare_single).
import atexit as _atexit
import builtins as _builtins
import gc as _gc
import random as _random
import sys as _sys

_STDLIB = _sys.stdlib_module_names
# Compiled tests. A run goes through all its tasks again and again, so there is room for those of a whole suite.
_cache = {}
_CACHE_TASKS, _CACHE_TEXT = 2048, 8 << 20
_cached_text = 0
_AWAITS = 0x80 | 0x100 | 0x200  # coroutines and what gives them


_PLAIN = {int, float, str, bytes, bool, type(None), tuple, list, dict, set, complex}


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
        if type(value) not in _PLAIN:  # the solution may change a variable between two looks
            self[name] = value
        return value


def exception_text(self):
    """`__str__` of the exceptions that stand for those of the solution's own classes."""
    says = self.__dict__.get('_says')
    return BaseException.__str__(self) if says is None else str(says)


# What tests use that look at a program's interpreter rather than at values.
_INSIDE = {'redirect_stdout', 'redirect_stderr', 'stdout', 'stderr', 'stdin', 'getvalue', 'patch', 'mock', 'asyncio',
           'inspect', 'signature', 'getsource'}


def _looks_inside(code):
    todo = [code]
    while todo:
        one = todo.pop()
        if _INSIDE.intersection(one.co_names) or one.co_flags & _AWAITS:
            return True
        todo.extend(c for c in one.co_consts if type(c) is type(code))
    return False


def _compile(context, test):
    global _cached_text
    key = (context, test)
    found = _cache.get(key)
    if found is None:
        found = (compile(context, '<context>', 'exec', dont_inherit=True) if context else None,
                 compile(test, '<tests>', 'exec', dont_inherit=True))
        _cached_text += len(context) + len(test)
        found += _looks_inside(found[1]),
        if len(_cache) >= _CACHE_TASKS or _cached_text > _CACHE_TEXT:
            _cache.clear()
            _cached_text = len(context) + len(test)
        _cache[key] = found
    return found


def _imports(space, entry):
    """Names that the context gives the tests; the entry point is the sample's alone."""
    space.pop(entry, None)


def run_split(context, test, entry, candidate, find):
    """True when the last line of the tests was reached; a text when the tests are not Python, None when they need the
    interpreter of the program."""
    try:
        own_check = 'def check(' in test
        context, test, inside = _compile(context, test)
    except (SyntaxError, ValueError) as e:
        return 'the tests do not compile: %s' % e
    if inside:
        return None
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


# What a program of LiveCodeBench may use without importing it, in the order in which that harness puts
# `from MODULE import *` in front of one; what a later one brings hides the same name of an earlier one. These two modules
# are not loaded before they are needed.
_STARS = ('string', 're', 'datetime', 'collections', 'heapq', 'bisect', 'copy', 'math', 'random', 'statistics', 'itertools',
          'functools', 'operator', 'io', 'sys', 'json', 'builtins', 'typing')
_MODULES = ('string', 're', 'datetime', 'collections', 'heapq', 'bisect', 'copy', 'math', 'random', 'statistics', 'itertools',
            'functools', 'operator', 'io', 'sys', 'json')
_LATE = {
    'json': ('JSONDecodeError', 'JSONDecoder', 'JSONEncoder', 'dump', 'dumps', 'load', 'loads'),
    'statistics': ('NormalDist', 'StatisticsError', 'correlation', 'covariance', 'fmean', 'geometric_mean', 'harmonic_mean',
                   'linear_regression', 'mean', 'median', 'median_grouped', 'median_high', 'median_low', 'mode', 'multimode',
                   'pstdev', 'pvariance', 'quantiles', 'stdev', 'variance'),
}


def _usual_names():
    names = {}
    for module in _STARS:
        loaded = None if module in _LATE else __import__(module)
        public = _LATE.get(module) or getattr(loaded, '__all__', None) or [n for n in vars(loaded) if n[0] != '_']
        for name in public:
            names[name] = None if module == 'builtins' else (module, name)
    for module in _MODULES:
        names[module] = (module, None)
    return {name: where for name, where in names.items() if where}


_usual = _usual_names()


def give_names(code, space):
    """Runs in the sample, before its program: those of the names that the program mentions."""
    _sys.setrecursionlimit(50000)
    _sys.set_int_max_str_digits(50000)
    todo, used = [code], set()
    while todo:
        one = todo.pop()
        used.update(one.co_names)
        todo.extend(c for c in one.co_consts if type(c) is type(code))
    for name in used & _usual.keys():
        module, of = _usual[name]
        value = __import__(module)
        space[name] = value if of is None else getattr(value, of)


def finish_program(space):
    """Runs in the sample, behind its program."""
    _atexit._run_exitfuncs()
    for stream in _sys.stdout, _sys.stderr:
        try:
            stream.flush()
        except Exception:
            pass
    for name in sorted(space, key=lambda n: n[:1] != '_'):
        if name != '__builtins__':
            space[name] = None
    _gc.collect()


def _shown(text):
    return repr(text if len(text) <= 120 else text[:60] + ' ... ' + text[-50:])


def _same_numbers(a, b):
    from decimal import Decimal
    try:
        return [Decimal(x) for x in a.split()] == [Decimal(x) for x in b.split()]
    except ArithmeticError:  # a word that is no number, or one that cannot be compared
        return False


def compare_output(want, got):
    """An empty text when a program printed what is expected, else the difference."""
    if want == got:
        return ''
    # Bytes that are no UTF-8 are equal to nothing that can be expected.
    want = [line.strip() for line in want.decode('utf-8', 'replace').strip().split('\n')]
    got = [line.strip() for line in got.decode('utf-8', 'surrogateescape').strip().split('\n')]
    for n, (w, g) in enumerate(zip(want, got), 1):
        if w != g and not _same_numbers(w, g):
            return 'line %d: %s expected, %s printed' % (n, _shown(w), _shown(g))
    if len(want) != len(got):
        return '%d lines expected, %d printed' % (len(want), len(got))
    return ''


def run_call(arguments, want, entry, find):
    """True when the call gives what is expected; a text when the case cannot be read."""
    import json
    digits = _sys.get_int_max_str_digits()
    _sys.set_int_max_str_digits(0)
    try:
        arguments = [json.loads(line) for line in arguments.decode().split('\n')]
        want = json.loads(want)
    except (ValueError, RecursionError) as e:
        return 'the case cannot be read: %s' % e
    finally:
        _sys.set_int_max_str_digits(digits)
    try:
        solution = find('Solution')
    except NameError:
        function = find(entry)
    else:
        function = getattr(solution(), entry)
    got = function(*arguments)
    if type(got) is tuple:
        got = list(got)
    if not got == want:
        raise AssertionError('%s expected, not %s' % (_brief(want), _brief(got)))
    return True


def _brief(value):
    try:
        return _shown(str(value))[1:-1]
    except ValueError:  # an integer of too many digits
        return 'a long number'
