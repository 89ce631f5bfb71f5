/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/* Addresses: what is read is written back, what is no address is refused, and equal is who is reached in the same way. */
#define _GNU_SOURCE
#include "socket_world.h"

#include <net/if.h>
#include <stddef.h>

static const struct pawl_address none;

static const char *text_of(const struct pawl_address *address)
{
    static char text[PAWL_ADDRESS_TEXT];
    ck_assert_ptr_eq(pawl_address_text(address, text), text);
    return text;
}

static struct pawl_address parsed(const char *host, uint16_t port)
{
    struct pawl_address address;
    ck_assert_int_eq(pawl_address_parse(&address, host, port), 0);
    return address;
}

static struct pawl_address at_path(const char *path)
{
    struct pawl_address address;
    ck_assert_int_eq(pawl_address_unix(&address, path), 0);
    return address;
}

static bool is_none(const struct pawl_address *address)
{
    return memcmp(address, &none, sizeof none) == 0;
}

/* ---- Numbers ---- */

START_TEST(what_is_read_is_written_back)
{
    static const struct { const char *host; uint16_t port; int family; const char *text; } cases[] = {
        { "127.0.0.1", 80, AF_INET, "127.0.0.1:80" },
        { "0.0.0.0", 0, AF_INET, "0.0.0.0:0" },
        { "255.255.255.255", 65535, AF_INET, "255.255.255.255:65535" },
        { NULL, 8080, AF_INET, "0.0.0.0:8080" },
        { "::1", 443, AF_INET6, "[::1]:443" },
        { "::", 0, AF_INET6, "[::]:0" },
        { "2001:0DB8:0:0::00ff", 65535, AF_INET6, "[2001:db8::ff]:65535" },
        { "::ffff:10.0.0.1", 7, AF_INET6, "[::ffff:10.0.0.1]:7" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535, AF_INET6, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pawl_address address = parsed(cases[i].host, cases[i].port);
        ck_assert_int_eq(address.of.family, cases[i].family);
        ck_assert_int_eq(pawl_address_sockaddr(&address)->sa_family, cases[i].family);
        ck_assert_uint_eq(address.size, cases[i].family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        ck_assert_uint_eq(pawl_address_port(&address), cases[i].port);
        ck_assert_str_eq(text_of(&address), cases[i].text);
    }
}
END_TEST

START_TEST(an_interface_belongs_to_an_address_within_a_link)
{
    char name[IF_NAMESIZE], host[64], text[80];
    ck_assert_ptr_nonnull(if_indextoname(1, name));
    snprintf(host, sizeof host, "fe80::1%%%s", name);
    snprintf(text, sizeof text, "[%s]:9", host);
    const struct pawl_address a = parsed(host, 9), b = parsed("fe80::1%1", 9), other = parsed("fe80::1", 9);
    struct sockaddr_in6 in;
    memcpy(&in, &a.of, sizeof in);
    ck_assert_uint_eq(in.sin6_scope_id, 1);
    ck_assert_str_eq(text_of(&a), text);
    ck_assert(pawl_address_equal(&a, &b));
    ck_assert(!pawl_address_equal(&a, &other));
}
END_TEST

START_TEST(what_is_no_number_is_EHOST_and_none)
{
    static const char *const bad[] = { "", " ", "localhost", "256.0.0.1", "1.2.3.4.5", "127.0.0.1:80", "[::1]", ":::", "::g", "1::2::3",
                                       "fe80::1%no-such-interface", "127.0.0.1 ", "@name", "/run/socket" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pawl_address address;
        memset(&address, 0xA5, sizeof address);
        ck_assert_msg(pawl_address_parse(&address, bad[i], 1) == PAWL_EHOST, "'%s' is taken for an address", bad[i]);
        ck_assert(is_none(&address));
        ck_assert_str_eq(text_of(&address), "-");
    }
}
END_TEST

START_TEST(a_host_of_any_length_is_refused_not_run_over)
{
    char host[5000];
    struct pawl_address address;
    memset(host, '1', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    ck_assert_int_eq(pawl_address_parse(&address, host, 1), PAWL_EHOST);
    memset(host, 'a', sizeof host - 1);
    ck_assert_int_eq(pawl_address_parse(&address, host, 1), PAWL_EHOST);
}
END_TEST

START_TEST(no_place_for_an_address_is_EINVAL)
{
    const struct pawl_address address = parsed("127.0.0.1", 1);
    ck_assert_int_eq(pawl_address_parse(NULL, "127.0.0.1", 1), PAWL_EINVAL);
    ck_assert_int_eq(pawl_address_unix(NULL, "/x"), PAWL_EINVAL);
    ck_assert_int_eq(pawl_address_set(NULL, pawl_address_sockaddr(&address), address.size), PAWL_EINVAL);
}
END_TEST

/* ---- Unix ---- */

START_TEST(a_path_ends_with_a_zero_that_counts)
{
    const struct pawl_address address = at_path("/run/socket");
    struct sockaddr_un un;
    ck_assert_int_eq(address.of.family, AF_UNIX);
    ck_assert_uint_eq(address.size, offsetof(struct sockaddr_un, sun_path) + sizeof "/run/socket");
    memcpy(&un, &address.of, sizeof un);
    ck_assert_str_eq(un.sun_path, "/run/socket");
    ck_assert_str_eq(text_of(&address), "/run/socket");
    ck_assert_uint_eq(pawl_address_port(&address), 0);
}
END_TEST

START_TEST(a_name_that_is_in_no_file_system_begins_with_a_zero)
{
    const struct pawl_address address = at_path("@name"), file = at_path("./@name"), shortest = at_path("@");
    struct sockaddr_un un;
    ck_assert_uint_eq(address.size, offsetof(struct sockaddr_un, sun_path) + 5);
    memcpy(&un, &address.of, sizeof un);
    ck_assert_mem_eq(un.sun_path, "\0name", 5);
    ck_assert_str_eq(text_of(&address), "@name");
    ck_assert_str_eq(text_of(&file), "./@name");
    ck_assert_str_eq(text_of(&shortest), "@");
    ck_assert(!pawl_address_equal(&address, &file));
    ck_assert(!pawl_address_equal(&address, &shortest));
}
END_TEST

START_TEST(a_path_may_have_107_bytes_and_not_one_more)
{
    char path[200];
    struct pawl_address address;
    memset(path, 'p', sizeof path);
    path[107] = '\0';
    for (int abstract = 0; abstract < 2; abstract++) {
        path[0] = abstract ? '@' : '/';
        path[107] = '\0';
        address = at_path(path);
        ck_assert_str_eq(text_of(&address), path);
        ck_assert_uint_le(address.size, sizeof(struct sockaddr_un));
        path[107] = 'p';
        path[108] = '\0';
        memset(&address, 0xA5, sizeof address);
        ck_assert_int_eq(pawl_address_unix(&address, path), -ENAMETOOLONG);
        ck_assert(is_none(&address));
        path[108] = 'p';
        path[199] = '\0';
        ck_assert_int_eq(pawl_address_unix(&address, path), -ENAMETOOLONG);
        path[199] = 'p';
    }
}
END_TEST

START_TEST(no_path_is_EINVAL_and_none)
{
    struct pawl_address address;
    memset(&address, 0xA5, sizeof address);
    ck_assert_int_eq(pawl_address_unix(&address, NULL), PAWL_EINVAL);
    ck_assert(is_none(&address));
    memset(&address, 0xA5, sizeof address);
    ck_assert_int_eq(pawl_address_unix(&address, ""), PAWL_EINVAL);
    ck_assert(is_none(&address));
}
END_TEST

/* ---- The system's own ---- */

START_TEST(what_the_system_gives_is_copied)
{
    struct sockaddr_in in = raw_address(8080);
    struct pawl_address address;
    memset(&address, 0xA5, sizeof address);
    ck_assert_int_eq(pawl_address_set(&address, (const struct sockaddr *)&in, sizeof in), 0);
    in.sin_port = 0; /* a copy */
    ck_assert_str_eq(text_of(&address), "127.0.0.1:8080");
    const struct pawl_address same = parsed("127.0.0.1", 8080);
    ck_assert(pawl_address_equal(&address, &same));
    ck_assert_mem_eq(&address, &same, sizeof same); /* nothing of what was there before is left */
}
END_TEST

START_TEST(a_size_that_no_address_has_is_EINVAL_and_none)
{
    unsigned char bytes[200] = { AF_INET };
    static const size_t sizes[] = { 0, 1, 113, 128, 200, SIZE_MAX };
    struct pawl_address address;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(&address, 0xA5, sizeof address);
        ck_assert_int_eq(pawl_address_set(&address, (const struct sockaddr *)(const void *)bytes, sizes[i]), PAWL_EINVAL);
        ck_assert(is_none(&address));
    }
    ck_assert_int_eq(pawl_address_set(&address, NULL, 16), PAWL_EINVAL);
}
END_TEST

START_TEST(an_address_can_be_set_to_itself)
{
    struct pawl_address address = parsed("::1", 99);
    ck_assert_int_eq(pawl_address_set(&address, pawl_address_sockaddr(&address), address.size), 0);
    ck_assert_str_eq(text_of(&address), "[::1]:99");
}
END_TEST

START_TEST(a_family_that_pawl_does_not_know_is_kept_and_has_no_text)
{
    struct sockaddr odd = { .sa_family = AF_X25 };
    struct pawl_address a, b;
    ck_assert_int_eq(pawl_address_set(&a, &odd, sizeof odd), 0);
    ck_assert_int_eq(pawl_address_set(&b, &odd, sizeof odd), 0);
    ck_assert_int_eq(a.of.family, AF_X25);
    ck_assert_uint_eq(pawl_address_port(&a), 0);
    ck_assert_str_eq(text_of(&a), "-");
}
END_TEST

/* A path that fills all its 108 bytes has no zero at its end; the system says 111 bytes of such a one, and takes 110. */
START_TEST(a_path_without_its_zero_is_the_same_path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct pawl_address a, b, shorter;
    memset(un.sun_path, 'p', sizeof un.sun_path);
    ck_assert_int_eq(pawl_address_set(&a, (const struct sockaddr *)&un, sizeof un), 0);
    ck_assert_uint_eq(strlen(text_of(&a)), sizeof un.sun_path);
    strcpy(un.sun_path, "/run/x");
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    ck_assert_int_eq(pawl_address_set(&a, (const struct sockaddr *)&un, head + 6), 0);
    ck_assert_int_eq(pawl_address_set(&b, (const struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(pawl_address_set(&shorter, (const struct sockaddr *)&un, head + 5), 0);
    ck_assert(pawl_address_equal(&a, &b));
    ck_assert(!pawl_address_equal(&a, &shorter));
    ck_assert_str_eq(text_of(&a), text_of(&b));
}
END_TEST

/* ---- Equal ---- */

START_TEST(equal_is_who_is_reached_in_the_same_way)
{
    const struct pawl_address cases[] = {
        parsed("127.0.0.1", 80), parsed("127.0.0.1", 81), parsed("127.0.0.2", 80), parsed("::1", 80), parsed("::1", 81), parsed("::2", 80),
        parsed("::ffff:127.0.0.1", 80), at_path("/a"), at_path("/b"), at_path("/a/b"), at_path("@a"), at_path("@b"), at_path("@ab"),
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) ck_assert_msg(pawl_address_equal(&cases[i], &cases[j]) == (i == j), "%d and %d", i, j);
    }
}
END_TEST

START_TEST(the_flow_of_ipv6_is_no_part_of_who_it_is)
{
    struct pawl_address a = parsed("::1", 80), b = a;
    struct sockaddr_in6 in;
    memcpy(&in, &b.of, sizeof in);
    in.sin6_flowinfo = 0x1234;
    memcpy(&b.of, &in, sizeof in);
    ck_assert(pawl_address_equal(&a, &b));
}
END_TEST

START_TEST(none_is_equal_to_nothing)
{
    const struct pawl_address some = parsed("127.0.0.1", 80);
    struct pawl_address unnamed;
    const struct sockaddr_un un = { .sun_family = AF_UNIX };
    ck_assert(!pawl_address_equal(&none, &none));
    ck_assert(!pawl_address_equal(&none, &some));
    ck_assert(!pawl_address_equal(&some, &none));
    ck_assert(!pawl_address_equal(NULL, &some));
    ck_assert(!pawl_address_equal(&some, NULL));
    ck_assert(!pawl_address_equal(NULL, NULL));
    ck_assert_uint_eq(pawl_address_port(&none), 0);
    ck_assert_uint_eq(pawl_address_port(NULL), 0);
    ck_assert_str_eq(text_of(NULL), "-");
    ck_assert_str_eq(text_of(&none), "-");
    ck_assert_int_eq(pawl_address_set(&unnamed, (const struct sockaddr *)&un, sizeof un.sun_family), 0);
    ck_assert(!pawl_address_equal(&unnamed, &unnamed)); /* a Unix socket that was never bound: there are many */
    ck_assert_str_eq(text_of(&unnamed), "-");
}
END_TEST

Suite *make_suite(void)
{
    Suite *const suite = suite_create("address");
    ADD(suite, "numbers", what_is_read_is_written_back, an_interface_belongs_to_an_address_within_a_link, what_is_no_number_is_EHOST_and_none,
        a_host_of_any_length_is_refused_not_run_over, no_place_for_an_address_is_EINVAL);
    ADD(suite, "unix", a_path_ends_with_a_zero_that_counts, a_name_that_is_in_no_file_system_begins_with_a_zero,
        a_path_may_have_107_bytes_and_not_one_more, no_path_is_EINVAL_and_none);
    ADD(suite, "sockaddr", what_the_system_gives_is_copied, a_size_that_no_address_has_is_EINVAL_and_none, an_address_can_be_set_to_itself,
        a_family_that_pawl_does_not_know_is_kept_and_has_no_text, a_path_without_its_zero_is_the_same_path);
    ADD(suite, "equal", equal_is_who_is_reached_in_the_same_way, the_flow_of_ipv6_is_no_part_of_who_it_is, none_is_equal_to_nothing);
    return suite;
}
