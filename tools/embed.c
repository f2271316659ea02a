/* Turns a file into a C array, at build time. usage: embed FILE OUT.c NAME */
// SPDX-License-Identifier: MIT
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    FILE *in = fopen(argv[1], "rb");
    FILE *out = fopen(argv[2], "wb");
    if (!in || !out)
        return 1;
    fprintf(out, "#include <stddef.h>\nextern const unsigned char %s[];\n", argv[3]);
    fprintf(out, "extern const size_t %s_size;\nconst unsigned char %s[] = {\n", argv[3], argv[3]);
    size_t n = 0;
    for (int c = 0; (c = getc(in)) != EOF; n++)
        fprintf(out, "%d,%s", c, n % 24 == 23 ? "\n" : "");
    fprintf(out, "0};\nconst size_t %s_size = %zu;\n", argv[3], n);
    const int bad = ferror(in) || ferror(out);
    fclose(in);
    return fclose(out) != 0 || bad;
}
