/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Reads scenarios. Whoever wrote them is trusted; what cannot be read ends the program. */
#include "oracle.h"

enum { MOST_PIECES = 4096 };
static void *pieces[MOST_PIECES];
static int piece_count, statement_count;
static char token[32];

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "oracle: %s at '%s'\n", why, token);
    exit(EXIT_FAILURE);
}

static void *piece(size_t size)
{
    void *const memory = calloc(1, size);
    if (memory == NULL || piece_count == MOST_PIECES) give_up("out of memory");
    return pieces[piece_count++] = memory;
}

void scenario_free(void)
{
    while (piece_count > 0) free(pieces[--piece_count]);
}

static bool next_token(void)
{
    return scanf("%31s", token) == 1;
}

static const struct word *word_of(const char *name)
{
    for (const struct word *const *list = all_words; *list != NULL; list++)
        for (const struct word *word = *list; word->name != NULL; word++)
            if (strcmp(word->name, name) == 0) return word;
    give_up("no such word");
}

static struct block *read_block(void);

static struct argument read_argument(void)
{
    if (*token == '{') return (struct argument){ .kind = '{', .block = read_block() };
    if (*token >= 'a' && *token <= 'z') return (struct argument){ .kind = *token, .value = atoi(token + 1) };
    return (struct argument){ .kind = 'i', .value = atoi(token) };
}

static struct statement *read_statement(void)
{
    struct statement *const statement = piece(sizeof *statement);
    statement->number = statement_count++;
    statement->word = word_of(token);
    while (next_token() && *token != ';') {
        if (statement->count == ARGUMENTS) give_up("too many arguments");
        statement->arguments[statement->count++] = read_argument();
    }
    return statement;
}

/* Behind its `{`. */
static struct block *read_block(void)
{
    struct block *const block = piece(sizeof *block);
    struct statement **end = &block->first;
    while (next_token() && *token != '}') {
        *end = read_statement();
        end = &(*end)->next;
    }
    return block;
}

bool scenario_read(struct scenario *scenario)
{
    *scenario = (struct scenario){ 0 };
    statement_count = 0;
    while (next_token()) {
        if (*token == '.') return true;
        if (*token != '{' || scenario->bodies == TASKS) give_up("no scenario");
        scenario->body[scenario->bodies++] = read_block();
    }
    return false;
}
