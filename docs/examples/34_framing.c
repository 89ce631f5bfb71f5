/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Framing: an instrument on a serial line sends readings, a line each; what comes in are the bytes that the UART had at the time.
 * For each piece of input there is a loop over the lines that it completes: none, one, or several. A line that is
 * too long is told, and the next one is whole again. Then the same for packets with their length before each.
 */
#include <stdio.h>
#include <string.h>

#include <pawl/framing.h>

static const char *const received[] = { "temp", "erature 21.5\r\npress", "ure 1013\nhumidity 40\nwi", "nd 3\n", "this line is far too",
                                        " long for us\nrain 0\n", "sun 5", "" };

static void read_lines(void)
{
    char buffer[20];
    struct pawl_framing lines = pawl_line_framing(buffer, sizeof buffer);
    for (int i = 0; i < 8; i++) {
        printf("%zu bytes came\n", strlen(received[i])); /* 0 is the end, as read(2) says it */
        FOREACH_FRAME(line, &lines, received[i], strlen(received[i])) {
            if (line.error != 0) printf("  %s\n", pawl_error_text(line.error));
            else printf("  '%.*s'\n", (int)line.size, line.data);
        }
    }
}

static void read_packets(void)
{
    static const char bytes[] = "\0\5hello\0\0\0\4pawl\0\3cut"; /* lengths in two bytes */
    char buffer[16];
    struct pawl_framing packets = pawl_length_framing(buffer, sizeof buffer, PAWL_LENGTH_16_BIG);
    for (size_t at = 0; at <= 18; at += 3) { /* three at a time, and then none; the last two are lost */
        FOREACH_FRAME(packet, &packets, bytes + at, at < 18 ? 3 : 0) {
            if (packet.error != 0) printf("%s\n", pawl_error_text(packet.error));
            else printf("%zu: '%.*s'%s\n", packet.size, (int)packet.size, packet.data, packet.data == buffer ? "" : ", as it lay");
        }
    }
}

int main(void)
{
    read_lines();
    read_packets();
    return 0;
}
