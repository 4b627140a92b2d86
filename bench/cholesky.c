/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cholesky.c: right-looking tiled Cholesky. Tiles are column-major and
 * contiguous, and updated in place: a tile's tasks follow each other, and a
 * tile is read by others only after its last update, so the true dependences
 * are all there are.
 */
#include "cholesky.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum op_kind { FACTOR, SOLVE, UPDATE } op_kind;

typedef struct op {
    uint32_t kind, row, column, step;
} op;

typedef struct cholesky {
    uint32_t n, tile, tiles;
    double *original; /* lower triangle of tiles, as `matrix` */
    double *matrix;
    op *ops;
    bool failed; /* not positive definite: a run was wrong */
} cholesky;

static double *tile_of(const cholesky *c, double *matrix, uint32_t row,
                       uint32_t column)
{
    return matrix + ((size_t)row * c->tiles + column) * c->tile * c->tile;
}

/* a = l * l^T, the lower triangle. */
static bool factor(double *a, uint32_t b)
{
    for (uint32_t k = 0; k < b; k++) {
        double pivot = a[k + k * b];
        if (!(pivot > 0))
            return false;
        pivot = sqrt(pivot);
        a[k + k * b] = pivot;
        for (uint32_t i = k + 1; i < b; i++)
            a[i + k * b] /= pivot;
        for (uint32_t j = k + 1; j < b; j++) {
            double scale = a[j + k * b];
            for (uint32_t i = j; i < b; i++)
                a[i + j * b] -= scale * a[i + k * b];
        }
    }
    return true;
}

/* x * l^T = a, in place. */
static void solve(double *restrict a, const double *restrict l, uint32_t b)
{
    for (uint32_t k = 0; k < b; k++) {
        for (uint32_t i = 0; i < b; i++)
            a[i + k * b] /= l[k + k * b];
        for (uint32_t j = k + 1; j < b; j++) {
            double scale = l[j + k * b];
            for (uint32_t i = 0; i < b; i++)
                a[i + j * b] -= scale * a[i + k * b];
        }
    }
}

/* a -= x * y^T; four columns of x at a time, so that a is read less often.
 * (For a diagonal tile the upper half is computed and never read.) */
static void update(double *restrict a, const double *x, const double *y,
                   uint32_t b)
{
    for (uint32_t j = 0; j < b; j++) {
        double *column = a + j * b;
        for (uint32_t k = 0; k < b; k += 4) {
            const double *x0 = x + k * b, *x1 = x0 + b, *x2 = x1 + b;
            const double *x3 = x2 + b;
            double y0 = y[j + k * b], y1 = y[j + (k + 1) * b];
            double y2 = y[j + (k + 2) * b], y3 = y[j + (k + 3) * b];
            for (uint32_t i = 0; i < b; i++)
                column[i] -= x0[i] * y0 + x1[i] * y1 + x2[i] * y2 + x3[i] * y3;
        }
    }
}

static void work(void *self, uint32_t task)
{
    cholesky *c = self;
    const op *o = &c->ops[task];
    double *a = tile_of(c, c->matrix, o->row, o->column);
    switch ((op_kind)o->kind) {
    case FACTOR:
        if (!factor(a, c->tile))
            c->failed = true;
        break;
    case SOLVE:
        solve(a, tile_of(c, c->matrix, o->column, o->column), c->tile);
        break;
    case UPDATE:
        update(a, tile_of(c, c->matrix, o->row, o->step),
               tile_of(c, c->matrix, o->column, o->step), c->tile);
        break;
    }
}

static size_t matrix_size(const cholesky *c)
{
    return (size_t)c->n * c->n * sizeof(double);
}

static void prepare(void *self)
{
    cholesky *c = self;
    memcpy(c->matrix, c->original, matrix_size(c));
    c->failed = false;
}

/* Element (row, column) of the lower triangle. */
static double element(const cholesky *c, double *matrix, uint32_t row,
                      uint32_t column)
{
    const double *t = tile_of(c, matrix, row / c->tile, column / c->tile);
    return t[row % c->tile + (size_t)(column % c->tile) * c->tile];
}

/* |l * (l^T * x) - a * x| for x = 1, 2, 3, 1, 2, 3, …, against |a * x|. */
static double residual(const cholesky *c, double *x, double *half)
{
    double worst = 0, largest = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        x[i] = 1 + i % 3;
        half[i] = 0;
    }
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j <= i; j++)
            half[j] += element(c, c->matrix, i, j) * x[i];
    for (uint32_t i = 0; i < c->n; i++) {
        double got = 0, wanted = 0;
        for (uint32_t j = 0; j <= i; j++)
            got += element(c, c->matrix, i, j) * half[j];
        for (uint32_t j = 0; j < c->n; j++)
            wanted +=
                element(c, c->original, i > j ? i : j, i > j ? j : i) * x[j];
        worst = fmax(worst, fabs(got - wanted));
        largest = fmax(largest, fabs(wanted));
    }
    return worst / largest;
}

static bool check(void *self)
{
    cholesky *c = self;
    double *room = malloc(2 * (size_t)c->n * sizeof *room);
    bool right =
        room && !c->failed && residual(c, room, room + c->n) < 1e-12 * c->n;
    free(room);
    return right;
}

static void cholesky_free(void *self)
{
    cholesky *c = self;
    if (c) {
        free(c->original);
        free(c->matrix);
        free(c->ops);
    }
    free(c);
}

/* Off the diagonal -1 to 1, on it enough for it to be dominant. */
static void fill(cholesky *c)
{
    uint64_t state = 1;
    for (uint32_t row = 0; row < c->n; row++) {
        for (uint32_t column = 0; column <= row; column++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            double value = (double)(state >> 40) / (1 << 23) - 1;
            double *t =
                tile_of(c, c->original, row / c->tile, column / c->tile);
            t[row % c->tile + (size_t)(column % c->tile) * c->tile] =
                row == column ? c->n : value;
        }
    }
}

/* Adds the task that changes a tile; it uses the tile's last one, and more. */
static void add_op(bench_workload *workload, op made, uint32_t *last,
                   const uint32_t *more, uint32_t n_more)
{
    const cholesky *c = workload->self;
    uint32_t inputs[3], n = 0;
    uint32_t *own = &last[made.row * c->tiles + made.column];
    if (*own != UINT32_MAX)
        inputs[n++] = *own;
    for (uint32_t i = 0; i < n_more; i++)
        inputs[n++] = more[i];
    *own = workload->graph.n_tasks;
    c->ops[*own] = made;
    bench_graph_add(&workload->graph, inputs, n);
}

static void add_step(bench_workload *workload, uint32_t *last, uint32_t k)
{
    uint32_t tiles = ((const cholesky *)workload->self)->tiles;
    add_op(workload, (op){ FACTOR, k, k, k }, last, NULL, 0);
    for (uint32_t i = k + 1; i < tiles; i++)
        add_op(workload, (op){ SOLVE, i, k, k }, last, &last[k * tiles + k], 1);
    for (uint32_t i = k + 1; i < tiles; i++) {
        for (uint32_t j = k + 1; j <= i; j++) {
            uint32_t more[2] = { last[i * tiles + k], last[j * tiles + k] };
            add_op(workload, (op){ UPDATE, i, j, k }, last, more,
                   i == j ? 1 : 2);
        }
    }
}

static bool make_graph(bench_workload *workload)
{
    cholesky *c = workload->self;
    uint32_t t = c->tiles, n_tasks = 0;
    for (uint32_t k = 0; k < t; k++)
        n_tasks += 1 + (t - k - 1) + (t - k - 1) * (t - k) / 2;
    uint32_t *last = malloc((size_t)t * t * sizeof *last);
    c->ops = malloc(n_tasks * sizeof *c->ops);
    if (!last || !c->ops ||
        !bench_graph_begin(&workload->graph, n_tasks, 3 * n_tasks)) {
        free(last);
        return false;
    }
    memset(last, 0xff, (size_t)t * t * sizeof *last);
    for (uint32_t k = 0; k < t; k++)
        add_step(workload, last, k);
    free(last);
    return bench_graph_end(&workload->graph);
}

bool bench_cholesky_init(bench_workload *workload, uint32_t n, uint32_t tile)
{
    cholesky *c = calloc(1, sizeof *c);
    workload->self = c;
    workload->free = cholesky_free;
    if (!c || tile == 0 || tile % 4 || n == 0 || n % tile)
        return false;
    *c = (cholesky){ .n = n, .tile = tile, .tiles = n / tile };
    c->original = calloc(1, matrix_size(c));
    c->matrix = calloc(1, matrix_size(c));
    if (!c->original || !c->matrix || !make_graph(workload) ||
        !bench_workload_init(workload, BENCH_NOTHING, 0))
        return false;
    fill(c);
    workload->work = work;
    workload->prepare = prepare;
    workload->check = check;
    return true;
}
