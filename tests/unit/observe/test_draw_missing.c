/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawing where no Graphviz is installed: this program's dlopen finds none. */
#include <plait/observe.h>

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void *dlopen(const char *file, int mode)
{
    (void)mode;
    return strstr(file, "gvc") ? NULL : (void *)file;
}

char *dlerror(void)
{
    static char text[] = "libgvc.so.6: cannot open shared object file";
    return text;
}

static void pictures_are_not_available(void **state)
{
    (void)state;
    const char *path = "/tmp/plait-no-graphviz.svg";
    plait_error err = { PLAIT_ERROR_INIT };
    plait_graph *graph = plait_graph_new();
    plait_literal(graph, plait_int(1));
    for (int i = 0; i < 2; i++) { /* and it is looked for again */
        assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, path, &err),
                         PLAIT_EUNAVAILABLE);
        assert_non_null(strstr(err.message, "apt install graphviz"));
        assert_non_null(strstr(err.message, "libgvc.so.6"));
        assert_non_null(strstr(err.message, ".dot"));
    }
    assert_int_not_equal(access(path, F_OK), 0);
    plait_graph_free(graph);
}

static void text_needs_no_graphviz(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_literal(graph, plait_int(1));
    assert_int_equal(
        plait_graph_draw(graph, NULL, 0, NULL, "/dev/null/x.dot", NULL),
        PLAIT_ESYS);
    char path[] = "/tmp/plait-no-graphviz-XXXXXX.dot";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, path, NULL),
                     PLAIT_OK);
    char text[16] = "";
    assert_int_equal(read(fd, text, 15), 15);
    assert_string_equal(text, "digraph plait {");
    close(fd);
    unlink(path);
    plait_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_not_available),
        cmocka_unit_test(text_needs_no_graphviz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
