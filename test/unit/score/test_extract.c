// SPDX-License-Identifier: MIT
#include "t.h"

#include "score/extract.h"

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
    {"an empty block is no code", "```python\n```", "f", "", SC_EXTRACT_NONE, false},
};

TEST(takes_the_code_that_the_rule_names)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        const sc_extracted x = sc_extract(sc_str_c(rows[i].answer), sc_str_c(rows[i].entry));
        if (x.how != rows[i].how || !sc_str_is(x.code, rows[i].code) ||
            x.defines != rows[i].defines)
            print_error("%s: %s \"%.*s\"\n", rows[i].name, sc_extract_name(x.how), SC_STRF(x.code));
        CHECK(x.how == rows[i].how);
        CHECK(sc_str_is(x.code, rows[i].code));
        CHECK(x.defines == rows[i].defines);
    }
}

TEST(a_long_answer_takes_no_longer_than_its_length)
{
    UNUSED;
    // Cubic extractors hang on this; ours passes over it a few times.
    const size_t n = 8 << 20;
    char *text = sc_alloc(n, 1);
    CHECK(text);
    for (size_t i = 0; i < n; i++)
        text[i] = "```\n<think>x\n"[i % 13];
    const sc_extracted x = sc_extract((sc_str){text, n}, SC_STR("f"));
    CHECK(x.code.p >= text && x.code.p + x.code.n <= text + n);
    sc_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(takes_the_code_that_the_rule_names),
        T(a_long_answer_takes_no_longer_than_its_length),
    };
    return RUN_TESTS(tests);
}
