// SPDX-License-Identifier: MIT
#include "t.h"

#include "box/tree.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, COMMON_MIB = 40, SHARED_MIB = 30, OWN_MIB = 30, LIMIT_KIB = 120 << 10 };

/* A process that forks children which share its memory until they take their own. */
typedef struct family {
    pid_t root;
    int line; // a letter for what is to be done, and back when it is done
} family;

static char *map(size_t mib, int kind)
{
    char *p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        _exit(1);
    (void)madvise(p, mib << 20, MADV_NOHUGEPAGE); // pages of one size, wherever this runs
    return p;
}

static void touch(char *p, size_t mib)
{
    memset(p, 1, mib << 20);
}

static int fork_with(void (*live)(int line, char *shared), char *shared, pid_t *pid)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || (*pid = fork()) < 0)
        return -1;
    if (*pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // nothing outlives the test
        (void)close(pair[0]);
        live(pair[1], shared);
        _exit(0);
    }
    (void)close(pair[1]);
    return pair[0];
}

static bool tell(int line, char what)
{
    return write(line, &what, 1) == 1 && read(line, &what, 1) == 1;
}

static void live_child(int line, char *shared)
{
    for (char c; read(line, &c, 1) == 1; (void)!write(line, &c, 1)) {
        if (c == 's')
            touch(shared, SHARED_MIB);
        else if (c == 'o')
            touch(map(OWN_MIB, MAP_PRIVATE), OWN_MIB);
    }
}

static void live_root(int line, char *shared)
{
    int child[2 * CHILDREN];
    size_t n = 0;
    touch(map(COMMON_MIB, MAP_PRIVATE), COMMON_MIB);
    for (char c; read(line, &c, 1) == 1; (void)!write(line, &c, 1)) {
        pid_t pid = 0;
        for (size_t i = 0; c == 'c' && i < CHILDREN; i++)
            child[n++] = fork_with(live_child, shared, &pid);
        for (size_t i = 0; i < n; i++) // to 'c' too: all have run now
            if (!tell(child[i], c))
                _exit(1);
    }
}

static family make(sc_tree *t)
{
    family f;
    f.line = fork_with(live_root, map(SHARED_MIB, MAP_SHARED), &f.root);
    CHECK(f.line >= 0 && tell(f.line, 'c'));
    sc_tree_init(t, f.root);
    return f;
}

static void end(const family *f)
{
    (void)close(f->line); // it ends, and its children with it
    CHECK(waitpid(f->root, NULL, 0) == f->root);
}

static void stays_below(sc_tree *t)
{
    for (int i = 0; i < 5; i++) {
        sc_tree_look(t, LIMIT_KIB);
        CHECK(t->rss_kib >= COMMON_MIB << 10 && t->rss_kib <= LIMIT_KIB);
        CHECK(t->peak_kib <= LIMIT_KIB);
    }
}

TEST(what_forked_processes_share_counts_once)
{
    UNUSED;
    sc_tree t;
    const family f = make(&t);
    stays_below(&t);
    assert_int_equal(t.alive, 1 + CHILDREN);
    end(&f);
}

TEST(shared_memory_that_all_touch_counts_once)
{
    UNUSED;
    sc_tree t;
    const family f = make(&t);
    stays_below(&t);
    CHECK(tell(f.line, 's'));
    stays_below(&t);
    end(&f);
}

TEST(children_that_came_after_the_last_walk_count_once)
{
    UNUSED;
    sc_tree t;
    const family f = make(&t);
    stays_below(&t);
    CHECK(tell(f.line, 'c'));
    stays_below(&t);
    assert_int_equal(t.alive, 1 + 2 * CHILDREN);
    end(&f);
}

TEST(memory_of_their_own_passes_the_limit_without_another_walk)
{
    UNUSED;
    sc_tree t;
    const family f = make(&t);
    stays_below(&t);
    const uint64_t walked = t.walk.end_ns;
    CHECK(tell(f.line, 'o'));
    sc_tree_look(&t, LIMIT_KIB);
    const uint64_t all = (COMMON_MIB + CHILDREN * OWN_MIB) << 10;
    CHECK(t.rss_kib > all - (all >> 4) && t.rss_kib < all + (all >> 4));
    CHECK(t.peak_kib == t.rss_kib);
    CHECK(t.walk.end_ns == walked);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_forked_processes_share_counts_once),
        T(shared_memory_that_all_touch_counts_once),
        T(children_that_came_after_the_last_walk_count_once),
        T(memory_of_their_own_passes_the_limit_without_another_walk),
    };
    return RUN_TESTS(tests);
}
