/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * A recursive generator. A frame cannot hold a frame of its own kind, so that one comes from an allocator that the
 * caller gives, and a FINALLY gives it back. A value costs the same at any depth, since the innermost frame is resumed
 * directly. Closed in the middle, the generator ends frame by frame from the innermost outwards, and nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pawl/gen.h>
#include <pawl/task.h>

struct node {
    int value;
    const struct node *left, *right;
};

struct walk {
    GENERATOR(int);
    const struct node *node;
    const struct pawl_allocator *memory;
    struct walk *left;
};

GEN(walk)
{
    GEN_BEGIN(walk);
    for (; self->node != NULL; self->node = self->node->right) { /* to the right there is no need to recurse */
        if (self->node->left != NULL) {
            self->left = pawl_coro_new(self->memory, CORO(walk, .node = self->node->left, .memory = self->memory));
            TRY {
                if (self->left == NULL) RAISE(PAWL_ENOMEM);
                YIELD_FROM(self->left);
            } FINALLY {
                pawl_coro_free(self->memory, self->left);
            } END_TRY;
        }
        YIELD(self->node->value);
    }
    GEN_END;
}

/* An allocator that counts, to show that every frame comes back. */
static int frames;

static void *allocate(void *context, size_t size)
{
    frames++;
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory)
{
    frames--;
    (void)context;
    free(memory);
}

static const struct pawl_allocator counting = { .allocate = allocate, .release = release };

/*      6
 *    /   \
 *   2     8
 *  / \   /
 * 1   4 7
 *    / \
 *   3   5
 */
static const struct node n1 = { .value = 1 }, n3 = { .value = 3 }, n5 = { .value = 5 }, n7 = { .value = 7 };
static const struct node n4 = { 4, &n3, &n5 }, n2 = { 2, &n1, &n4 }, n8 = { 8, &n7, NULL }, n6 = { 6, &n2, &n8 };

int main(void)
{
    struct walk all = CORO(walk, .node = &n6, .memory = &counting);
    GEN_FOREACH(value, &all) printf(" %d", value);
    printf("\nframes left: %d\n", frames);

    struct walk some = CORO(walk, .node = &n6, .memory = &counting);
    while (gen_next(&some) && some.value < 3) printf(" %d", some.value);
    printf("\nframes in use at 3: %d\n", frames);
    const int error = gen_close(&some);
    printf("closed: %d, frames left: %d\n", error, frames);
    return 0;
}
