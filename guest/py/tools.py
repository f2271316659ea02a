# Our own tools over texts: one JSON object in, one out. Runs in a box of its own.
import ast
import datetime
import io
import json
import warnings

warnings.simplefilter('ignore')


def _syntax(source):
    try:
        compile(source, 'solution.py', 'exec', dont_inherit=True)
    except SyntaxError as e:
        return {'ok': False, 'line': e.lineno, 'column': e.offset, 'message': e.msg}
    except (ValueError, RecursionError, MemoryError, OverflowError) as e:
        return {'ok': False, 'line': None, 'column': None, 'message': '%s: %s' % (type(e).__name__, e)}
    return {'ok': True}


def _lint(source):
    from pyflakes import checker
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = checker.Checker(tree, filename='solution.py')
    found.messages.sort(key=lambda m: (m.lineno, m.col))
    return [{'line': m.lineno, 'column': m.col, 'kind': type(m).__name__, 'message': m.message % m.message_args}
            for m in found.messages]


def _complexity(source):
    from mccabe import PathGraphingAstVisitor
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    visitor = PathGraphingAstVisitor()
    visitor.preorder(tree, visitor)
    return [{'name': g.entity, 'line': g.lineno, 'complexity': g.complexity()} for g in visitor.graphs.values()]


def _analyse(request):
    out = []
    for source in request['sources']:
        one = {'syntax': _syntax(source)}
        try:
            one['lint'] = _lint(source)
            one['complexity'] = _complexity(source)
        except RecursionError:
            one['lint'] = one['complexity'] = None
        out.append(one)
    return {'results': out}


class _Raised(Exception):
    pass


def _environment(now):
    from jinja2.exceptions import TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """{% generation %} ... {% endgeneration %}: marks what the model wrote; renders as its body."""
        tags = {'generation'}

        def parse(self, parser):
            lineno = next(parser.stream).lineno
            body = parser.parse_statements(('name:endgeneration',), drop_needle=True)
            from jinja2 import nodes
            return nodes.CallBlock(self.call_method('_body'), [], [], body).set_lineno(lineno)

        def _body(self, caller):
            return caller()

    def raise_exception(message):
        raise _Raised(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    def strftime_now(format):
        when = datetime.datetime.fromisoformat(now) if now else datetime.datetime.now()
        return when.strftime(format)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters['tojson'] = tojson
    env.globals['raise_exception'] = raise_exception
    env.globals['strftime_now'] = strftime_now
    return env, TemplateError


def _until_last(text, message):
    """The text up to the end of the last message, trimmed as the template trimmed it."""
    if not isinstance(message, str):
        raise _Raised('the last message has no text to continue')
    at = text.rfind(message)
    if at >= 0 and message.strip() == '':
        at = len(text) if not message else at
    if at < 0 or message != message.strip() and text.rfind(message.strip()) > at:
        at = text.rfind(message.strip())
    if at < 0:
        raise _Raised('the last message is not in the rendered text')
    if text[at:at + len(message.lstrip())] == message.lstrip() and not text[at:at + len(message)] == message:
        return text[:at + len(message.lstrip())]
    if text[at:at + len(message)] == message:
        return text[:at + len(message)]
    return text[:at + len(message.strip())]


def _render(request):
    env, TemplateError = _environment(request.get('now'))
    options = request.get('options') or {}
    messages = request['messages']
    generate = bool(options.get('add_generation_prompt'))
    resume = bool(options.get('continue_final_message'))
    if generate and resume:
        return {'error': {'kind': 'ValueError', 'text': 'continue_final_message and add_generation_prompt exclude each other'}}
    values = dict(request.get('special_tokens') or {})
    values.update(options.get('extra') or {})
    try:
        template = env.from_string(request['template'])
        text = template.render(messages=messages, tools=request.get('tools'), documents=request.get('documents'),
                               add_generation_prompt=generate, **values)
        if resume:
            text = _until_last(text, messages[-1]['content'])
    except _Raised as e:
        return {'error': {'kind': 'raise_exception', 'text': str(e)}}
    except (TemplateError, Exception) as e:
        return {'error': {'kind': type(e).__name__, 'text': str(e)}}
    return {'text': text}


def _parses(source):
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _longest(lines):
    """Of the runs of at least two lines that parse, the first of those with most lines that are not blank."""
    full = [bool(line.strip()) for line in lines]
    before = [0]
    for one in full:
        before.append(before[-1] + one)
    # The longest first, so that the first that parses is the answer: an answer that is code parses at once.
    # Blank lines at either end change nothing but the order, so of equal runs the first one counts.
    runs = {}
    for i in range(len(lines)):
        for j in range(i + 1, len(lines)):
            runs.setdefault(before[j + 1] - before[i], []).append((i, j))
    for size in sorted(runs, reverse=True):
        if size == 0:
            break
        for i, j in runs[size]:
            tree = _parses('\n'.join(lines[i:j + 1]))
            if tree is not None:
                return '\n'.join(lines[i:j + 1]), tree
    return lines[0], _parses(lines[0])


def _names(node):
    """The names that stand in a piece of code: what it may need."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(one.name)
        elif isinstance(one, ast.arg):
            found.add(one.arg)
        elif isinstance(one, ast.keyword) and one.arg:
            found.add(one.arg)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
        elif isinstance(one, ast.alias):
            found.update(one.name.split('.'))
            found.add(one.asname)
        elif isinstance(one, (ast.Global, ast.Nonlocal)):
            found.update(one.names)
    return found


def _defined(node):
    """The name that a statement at the margin defines, as EvalPlus sees it: None when it is left out."""
    # A decorated definition is another kind of node in the grammar that EvalPlus uses, and left out there.
    if isinstance(node, ast.ClassDef):
        return None if node.decorator_list else node.name
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returns = any(isinstance(one, ast.Return) for one in ast.walk(node))
        return node.name if returns and not node.decorator_list else None
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
        return node.target.id if isinstance(node, ast.AnnAssign) else None
    return None


def _span(request):
    text, tree = _longest(request['code'].split('\n'))
    if tree is None:
        return {'text': ''}
    raw = text.encode()
    starts = [0]
    for line in raw.split(b'\n'):
        starts.append(starts[-1] + len(line) + 1)

    def source(node):
        return raw[starts[node.lineno - 1] + node.col_offset:starts[node.end_lineno - 1] + node.end_col_offset].decode()

    imports, defined = [], {}
    for node in tree.body:
        name = _defined(node)
        if isinstance(node, ast.Import) or isinstance(node, ast.ImportFrom) and node.module != '__future__':
            imports.append(source(node))
        elif name is not None and name not in defined:
            defined[name] = node
    entry = request.get('entry')
    wanted = set(defined)
    if entry:
        wanted, queue = {entry}, [entry]
        while queue:
            node = defined.get(queue.pop())
            for name in _names(node) if node is not None else ():
                if name not in wanted:
                    wanted.add(name)
                    queue.append(name)
    return {'text': '\n'.join(imports + [source(node) for name, node in defined.items() if name in wanted])}


_OPS = {'analyse': _analyse, 'render': _render, 'span': _span}


def run(request):
    request = json.loads(request)
    try:
        answer = _OPS[request['op']](request)
    except Exception as e:
        answer = {'error': {'kind': type(e).__name__, 'text': str(e)}}
    return json.dumps(answer, ensure_ascii=True).encode()
