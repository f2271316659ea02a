// SPDX-License-Identifier: MIT
#include "t.h"

#include "score/extract.h"
#include "score/program.h"

static const struct {
    const char *name, *answer, *entry, *code;
    sc_extract_how how;
    bool defines;
} rows[] = {
    {"a completion stays byte for byte", "    return 1\n", "f", "    return 1\n", SC_EXTRACT_RAW,
     false},
    {"a fence", "Sure!\n```python\ndef f():\n    pass\n```\nDone.", "f", "def f():\n    pass\n",
     SC_EXTRACT_FENCE, true},
    {"a fence without a language", "```\ndef f(): pass\n```", "f", "def f(): pass\n",
     SC_EXTRACT_FENCE, true},
    {"def is no language tag", "```def f(): pass\n```\n", "f", "", SC_EXTRACT_NONE, false},
    {"the last block that defines it",
     "```python\ndef f(): return 1\n```\nBetter:\n```python\ndef f(): return 2\n```\n```\nf()\n```",
     "f", "def f(): return 2\n", SC_EXTRACT_FENCE, true},
    {"the first Python block when none defines it",
     "```bash\nls\n```\n```python\nx = 1\n```\n```python\ny\n```", "f", "x = 1\n", SC_EXTRACT_FENCE,
     false},
    {"a fence that is never closed", "```python\ndef f():\n    return", "f", "def f():\n    return",
     SC_EXTRACT_FENCE, true},
    {"a longer fence holds a shorter one", "````\ns = '''\n```\n'''\n````\n", "s",
     "s = '''\n```\n'''\n", SC_EXTRACT_FENCE, true},
    {"tildes", "~~~py\ndef f(): 1\n~~~\n", "f", "def f(): 1\n", SC_EXTRACT_FENCE, true},
    {"an indented fence", "  ```python\ndef f(): 1\n  ```\n", "f", "def f(): 1\n", SC_EXTRACT_FENCE,
     true},
    {"inline backticks are no fence", "Use ```f()``` here\n", "f", "Use ```f()``` here\n",
     SC_EXTRACT_RAW, false},
    {"thinking is dropped", "<think>\ndef f(): draft\n</think>\n    return 1\n", "f",
     "\n    return 1\n", SC_EXTRACT_THOUGHT, false},
    {"the last closing marker wins", "a</think>b</think>    x", "f", "    x", SC_EXTRACT_THOUGHT,
     false},
    {"thinking without an end is no code", "<think>\ndef f(): pass\n", "f", "", SC_EXTRACT_NONE,
     false},
    {"thinking, then a fence",
     "<think>```python\ndef f(): 0\n```</think>\n```python\ndef f(): 1\n```", "f", "def f(): 1\n",
     SC_EXTRACT_FENCE, true},
    {"prose before the code", "Here it is:\nimport os\ndef f():\n    pass\n", "f",
     "import os\ndef f():\n    pass\n", SC_EXTRACT_PROSE, true},
    {"from in prose is no import", "from the list we see\ndef f(): 1\n", "f", "def f(): 1\n",
     SC_EXTRACT_PROSE, true},
    {"another name is not the entry point", "text\ndef ff(): 1\n", "f", "text\ndef ff(): 1\n",
     SC_EXTRACT_RAW, false},
    {"a class", "Well\nclass Stack:\n    pass\n", "Stack", "class Stack:\n    pass\n",
     SC_EXTRACT_PROSE, true},
    {"a variable", "```\nsquares = [1]\n```", "squares", "squares = [1]\n", SC_EXTRACT_FENCE, true},
    {"a comparison defines nothing", "```\nsquares == [1]\n```", "squares", "squares == [1]\n",
     SC_EXTRACT_FENCE, false},
    {"nothing", "", "f", "", SC_EXTRACT_NONE, false},
    {"white space", " \n\t\n", "f", "", SC_EXTRACT_NONE, false},
    {"a closing fence with the mark of a turn's end",
     "```python\ndef f(x):\n    return x\n```<|im_end|>\n", "f", "def f(x):\n    return x\n",
     SC_EXTRACT_FENCE, true},
    {"what a chat goes on with behind that mark",
     "```python\ndef f(x):\n    return x\n```<|im_end|>\n<|im_start|>user\nThanks\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"marks of the end behind code", "    return 1\n<|im_end|> </s>\n<|endoftext|>\n", "f",
     "    return 1\n", SC_EXTRACT_CUT, false},
    {"such a mark inside of the code stays", "END = '</s>'\nEOT = 1\n", "f",
     "END = '</s>'\nEOT = 1\n", SC_EXTRACT_RAW, false},
    {"answer tags", "<answer>\ndef f(x):\n    return x\n</answer>\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_PROSE, true},
    {"a fence behind text", "Here is it: ```python\ndef f(x):\n    return x\n```\nDone.\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"a fence behind text with a block of output after it",
     "Here: ```python\ndef f(x):\n    return x\n```\nOutput:\n```\n3\n```\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"a fence in a list, with its lines",
     "1. Here:\n\n    ```python\n    def f(x):\n        return x\n    ```\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"lines lose only what all of them have", "	```python\ndef f(x):\n    return x\n	```", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"a tab before all lines", "	```\n	def f(x):\n\n	    return x\n	```", "f",
     "def f(x):\n\n    return x\n", SC_EXTRACT_FENCE, true},
    {"an indented fence and its lines", "  ```python\n  def f(x):\n      return x\n  ```\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"fences in the docstring of a fenced block",
     "```python\ndef f(x):\n    '''\n    ```\n    x\n    ```\n    '''\n```\n", "f",
     "def f(x):\n    '''\n    ```\n    x\n    ```\n    '''\n", SC_EXTRACT_FENCE, true},
    {"fences in the docstring of a body",
     "    '''Example: ```\n    f(1)\n    ```\n    '''\n    return x\n", "f",
     "    '''Example: ```\n    f(1)\n    ```\n    '''\n    return x\n", SC_EXTRACT_RAW, false},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "```python\ndef f(x):\n    return x\n```",
     "f", "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"a byte order mark before code",
     "\xef\xbb\xbf"
     "def f(x):\n    return x\n",
     "f", "def f(x):\n    return x\n", SC_EXTRACT_CUT, true},
    {"a body that a fence closes", "    return x\n```\n", "f", "    return x\n", SC_EXTRACT_FENCE,
     false},
    {"a body that a fence closes, then talk", "    return x\n```\n\nThis function returns x.\n",
     "f", "    return x\n", SC_EXTRACT_FENCE, false},
    {"a body that a fence closes at the end of its line", "    return x```\nDone.\n", "f",
     "    return x", SC_EXTRACT_FENCE, false},
    {"a program that a fence closes", "def f(x):\n    return x\n```\nThis works.\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"prose and a program that a fence closes", "Here:\ndef f(x):\n    return x\n```\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_PROSE, true},
    {"a body that a fence closes, then the whole",
     "    return x\n```\nOr:\n```python\ndef f(x):\n    return x\n```\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_FENCE, true},
    {"a body in a fence without an end after prose", "Here is it:\n```\n    return x\n", "f",
     "    return x\n", SC_EXTRACT_FENCE, false},
    {"a block closed at the end of its last line", "```python\ndef f(x):\n    return x```\n", "f",
     "def f(x):\n    return x", SC_EXTRACT_FENCE, true},
    {"prose behind the code", "def f(x):\n    return x\n\nThis works because it is right.\n", "f",
     "def f(x):\n    return x\n\n", SC_EXTRACT_CUT, true},
    {"prose around the code", "Here:\ndef f(x):\n    return x\n\nIt's right.\n", "f",
     "def f(x):\n    return x\n\n", SC_EXTRACT_PROSE, true},
    {"a heading in bold behind the code", "def f(x):\n    return x\n\n**Why:** it\n", "f",
     "def f(x):\n    return x\n\n", SC_EXTRACT_CUT, true},
    {"one word and a colon behind the code", "def f(x):\n    return x\nExplanation:\n- x\n", "f",
     "def f(x):\n    return x\n", SC_EXTRACT_CUT, true},
    {"statements behind the code stay",
     "def f(x):\n    return x\ntry:\n    import os\nexcept ImportError:\n    pass\nf.a = 1 if f(1) "
     "else 2\nassert f(1) is not None, f'it is {f(1)}'\n",
     "f",
     "def f(x):\n    return x\ntry:\n    import os\nexcept ImportError:\n    pass\nf.a = 1 if f(1) "
     "else 2\nassert f(1) is not None, f'it is {f(1)}'\n",
     SC_EXTRACT_RAW, true},
    {"prose in a string of several lines stays",
     "def f(x):\n    return x\nT = \"\"\"\nThis is text\n\"\"\"\n", "f",
     "def f(x):\n    return x\nT = \"\"\"\nThis is text\n\"\"\"\n", SC_EXTRACT_RAW, true},
    {"a constant before the function", "Sure.\nMOD = 7\ndef f(x):\n    return x\n", "f",
     "MOD = 7\ndef f(x):\n    return x\n", SC_EXTRACT_PROSE, true},
    {"a constant at the start is no prose", "MOD = 7\nimport os\ndef f(x):\n    return x\n", "f",
     "MOD = 7\nimport os\ndef f(x):\n    return x\n", SC_EXTRACT_RAW, true},
    {"a body before the function again", "    return 1\n\ndef f(x):\n    return x\n", "f",
     "    return 1\n\ndef f(x):\n    return x\n", SC_EXTRACT_RAW, true},
    {"a helper in a block before",
     "```python\ndef h(x):\n    return x\n```\nand\n```python\ndef f(x):\n    return h(x)\n```",
     "f", "def h(x):\n    return x\ndef f(x):\n    return h(x)\n", SC_EXTRACT_FENCE, true},
    {"a helper in a block behind, and its import",
     "```python\nimport math\n```\n```python\ndef f(x):\n    return h(x)\n```\n```\ndef h(x):\n    "
     "return math.pi\n```",
     "f", "import math\ndef h(x):\n    return math.pi\ndef f(x):\n    return h(x)\n",
     SC_EXTRACT_FENCE, true},
    {"of two versions of a helper the last",
     "```python\ndef h(x): 1\n```\n```python\ndef h(x): 2\n```\n```python\ndef f(x):\n    return "
     "h(x)\n```",
     "f", "def h(x): 2\ndef f(x):\n    return h(x)\n", SC_EXTRACT_FENCE, true},
    {"what the block has itself is not joined",
     "```python\nimport math\ndef h(x): 1\n```\n```python\nfrom math import pi as math\ndef "
     "f(x):\n    def h(x): 2\n    return h(math)\n```",
     "f", "from math import pi as math\ndef f(x):\n    def h(x): 2\n    return h(math)\n",
     SC_EXTRACT_FENCE, true},
    {"an example that uses the function is not joined",
     "```python\ndef f(x):\n    return show(x)\n```\n```python\ndef show(x): print(f(x))\n```", "f",
     "def f(x):\n    return show(x)\n", SC_EXTRACT_FENCE, true},
    {"variables join nothing",
     "```python\nr = 1\n```\n```python\ndef f(x):\n    r = 2\n    return r\n```", "f",
     "def f(x):\n    r = 2\n    return r\n", SC_EXTRACT_FENCE, true},
    {"a body without its indentation", "y = x\nreturn y\n", "f", "    y = x\n    return y\n",
     SC_EXTRACT_INDENT, false},
    {"such a body in a fence", "```python\nfor y in x:\n    return y\n\nreturn 0\n```", "f",
     "    for y in x:\n        return y\n\n    return 0\n", SC_EXTRACT_INDENT, false},
    {"prose around such a body", "You can do this\nreturn x\nIt returns x.\n", "f",
     "    return x\n", SC_EXTRACT_INDENT, false},
    {"a return of several lines", "return (\n    x\n)\nprint(1)\n", "f",
     "    return (\n        x\n    )\n", SC_EXTRACT_INDENT, false},
    {"only the first line lost its indentation",
     "y = []\n    for a in x:\n        y.append(a)\n    return y", "f",
     "    y = []\n    for a in x:\n        y.append(a)\n    return y", SC_EXTRACT_INDENT, false},
    {"a loop that lost its indentation", "for a in x:\n    if a:\n        return a\n    return 0",
     "f", "    for a in x:\n        if a:\n            return a\n        return 0",
     SC_EXTRACT_INDENT, false},
    {"a loop whose first line lost it",
     "for a in x:\n        if a:\n            return a\n    return 0", "f",
     "    for a in x:\n        if a:\n            return a\n    return 0", SC_EXTRACT_INDENT,
     false},
    {"a string of several lines keeps its margin", "y = '''\na'''\nreturn y\n", "f",
     "    y = '''\na'''\n    return y\n", SC_EXTRACT_INDENT, false},
    {"another function is no body", "def g(x):\n    return x\n", "f", "def g(x):\n    return x\n",
     SC_EXTRACT_RAW, false},
    {"a body, then other code", "    return x\n\nreturn 1\n", "f", "    return x\n\nreturn 1\n",
     SC_EXTRACT_RAW, false},
    {"prose about returns is no body", "return the value of x\n", "f", "return the value of x\n",
     SC_EXTRACT_RAW, false},
    {"prose behind a body", "    return x\n\nThis function returns x.\n", "f", "    return x\n\n",
     SC_EXTRACT_CUT, false},
    {"other code behind a body stays", "    return g(x)\n\ndef g(x):\n    return x\n", "f",
     "    return g(x)\n\ndef g(x):\n    return x\n", SC_EXTRACT_RAW, false},
    {"a program with headings in its docstring", "'''Title\n~~~~~\n'''\ndef f(x): 1\n", "f",
     "'''Title\n~~~~~\n'''\ndef f(x): 1\n", SC_EXTRACT_RAW, true},
    {"what is tried before the imports",
     "# Code\ntry:\n    import a\nexcept ImportError:\n    a = 0\nimport b\ndef f(x): 1\n", "f",
     "# Code\ntry:\n    import a\nexcept ImportError:\n    a = 0\nimport b\ndef f(x): 1\n",
     SC_EXTRACT_RAW, true},
    {"an empty block is no code", "```python\n```", "f", "", SC_EXTRACT_NONE, false},
};

TEST(takes_the_code_that_the_rule_names)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        SC_AUTO(sc_buf) made = sc_buf_init(1 << 20);
        const sc_extracted x = sc_extract(sc_str_c(rows[i].answer), sc_str_c(rows[i].entry),
                                          SC_STR("def f(x):\n"), &made);
        if (x.how != rows[i].how || !sc_str_is(x.code, rows[i].code) ||
            x.defines != rows[i].defines)
            print_error("%s: %s \"%.*s\"\n", rows[i].name, sc_extract_name(x.how), SC_STRF(x.code));
        CHECK(x.how == rows[i].how);
        CHECK(sc_str_is(x.code, rows[i].code));
        CHECK(x.defines == rows[i].defines);
    }
}

TEST(only_code_that_continues_whole_lines_gets_an_indentation)
{
    UNUSED;
    static const char *const prompt[] = {"", "x = ", "def f(x):\n    "};
    for (size_t i = 0; i < SC_LEN(prompt); i++) {
        SC_AUTO(sc_buf) made = sc_buf_init(1 << 20);
        const sc_extracted x =
            sc_extract(SC_STR("return x\n"), SC_STR("f"), sc_str_c(prompt[i]), &made);
        CHECK(x.how == SC_EXTRACT_RAW && sc_str_is(x.code, "return x\n"));
    }
}

TEST(code_of_its_own_is_told_from_the_rest_of_a_prompt)
{
    UNUSED;
    static const struct {
        const char *answer;
        bool alone;
    } row[] = {{"```\ndef f(x): 1\n```", true},
               {"So:\ndef f(x): 1\n", true},
               {"def f(x): 1\n", false},
               {"def f(x): 1\nThat is all.", false},
               {"    return 1\ndef f(x): 1\n```", false},
               {"```\n    return 1\n```", false}};
    for (size_t i = 0; i < SC_LEN(row); i++) {
        SC_AUTO(sc_buf) made = sc_buf_init(1 << 20);
        CHECK(
            sc_extract(sc_str_c(row[i].answer), SC_STR("f"), SC_STR("def f(x):\n"), &made).alone ==
            row[i].alone);
    }
}

TEST(what_stands_behind_the_code_is_told_from_what_a_limit_broke_off)
{
    UNUSED;
    static const struct {
        const char *answer;
        bool more;
    } row[] = {{"```\n    return 1\n```\nSo", true}, {"```\n    return 1\n", false},
               {"```\ndef f(x): 1\n```\nS", true},   {"    return 1\n", false},
               {"    return 1\n\nSo it is", true},   {"return 1\nSo it", true},
               {"y = 1\nreturn y", false},           {"    return 1\n```", true},
               {"    return 1\n<|im_end|>", true},   {"<think>a</think>    return 1", false}};
    for (size_t i = 0; i < SC_LEN(row); i++) {
        SC_AUTO(sc_buf) made = sc_buf_init(1 << 20);
        const sc_extracted x =
            sc_extract(sc_str_c(row[i].answer), SC_STR("f"), SC_STR("def f(x):\n"), &made);
        if (x.more != row[i].more)
            print_error("%s\n", row[i].answer);
        CHECK(x.more == row[i].more);
    }
}

TEST(a_completion_ends_with_the_function_that_its_prompt_began)
{
    UNUSED;
    static const struct {
        const char *answer, *text;
        bool broken_off, whole;
    } row[] = {
        {"    return 1\ndef g(", "    return 1\n", false, false},
        {"    y = 1\n    retu", "    y = 1\n", true, false},
        {"import a\n\ndef f(x):\n    return 1\ndef g(", "import a\n\ndef f(x):\n    return 1\n",
         false, false},
        {"```\n    return 1\n```\nIt is tr", "    return 1\n", true, false},
        {"```\ndef f(x):\n    return 1\nf(1)\n```\n", "def f(x):\n    return 1\nf(1)\n", false,
         true},
        {"y = 1\nreturn y\nIt is tr", "    y = 1\n    return y\n", true, false},
    };
    const sc_task t = {.prompt = SC_STR("def f(x):\n"), .entry_point = SC_STR("f")};
    for (size_t i = 0; i < SC_LEN(row); i++) {
        SC_AUTO(sc_buf) made = sc_buf_init(1 << 20);
        const sc_cleaned c =
            sc_program_clean(&t, sc_str_c(row[i].answer), row[i].broken_off, &made);
        if (!sc_str_is(c.text, row[i].text) || c.whole != row[i].whole)
            print_error("%s: %.*s\n", row[i].answer, SC_STRF(c.text));
        CHECK(sc_str_is(c.text, row[i].text) && c.whole == row[i].whole);
    }
}

TEST(no_memory_for_what_is_put_together_is_said)
{
    UNUSED;
    SC_AUTO(sc_buf) made = sc_buf_init(4);
    (void)sc_extract(SC_STR("y = x\nreturn y\n"), SC_STR("f"), SC_STR("def f(x):\n"), &made);
    CHECK(!sc_buf_ok(&made));
}

TEST(a_long_answer_takes_no_longer_than_its_length)
{
    UNUSED;
    // Cubic extractors hang on these; ours passes over them a few times.
    static const char *const part[] = {"```\n<think>x\n", "```python\nx```\n", "a ```py\nb\n",
                                       "import a\n```\n", "return\n'''\n```\n"};
    const size_t n = 2 << 20;
    char *text = sc_alloc(n, 1);
    CHECK(text);
    for (size_t k = 0; k < SC_LEN(part); k++) {
        for (size_t i = 0; i < n; i++)
            text[i] = part[k][i % strlen(part[k])];
        SC_AUTO(sc_buf) made = sc_buf_init(64 << 20);
        const sc_extracted x =
            sc_extract((sc_str){text, n}, SC_STR("f"), SC_STR("def f(x):\n"), &made);
        CHECK(sc_buf_ok(&made) && x.code.n <= 5 * n);
    }
    sc_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(takes_the_code_that_the_rule_names),
        T(only_code_that_continues_whole_lines_gets_an_indentation),
        T(code_of_its_own_is_told_from_the_rest_of_a_prompt),
        T(what_stands_behind_the_code_is_told_from_what_a_limit_broke_off),
        T(a_completion_ends_with_the_function_that_its_prompt_began),
        T(no_memory_for_what_is_put_together_is_said),
        T(a_long_answer_takes_no_longer_than_its_length),
    };
    return RUN_TESTS(tests);
}
