/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* The parts of test_keywords that are compiled in a way of their own. */
#ifndef PAWL_TESTS_KEYWORDS_H
#define PAWL_TESTS_KEYWORDS_H

/* Programs in prefixed words only; the sum of what they yield, or a negative number for a step that went wrong. */
int prefixed_generator(void);
int prefixed_coroutine(void);

/* What a local variable holds after a suspension that it does not survive, at the resume after it was set to `set`. */
int lost_local_of_generator(int set);

#endif
