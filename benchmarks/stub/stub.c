/* A carrier that costs next to nothing, so that a benchmark measures the sender and not its counterpart.
 *
 *   stub serve            listens on a free port of 127.0.0.1, prints the port, answers until it is killed
 *   stub load PORT CONNECTIONS SECONDS
 *                         asks for creates as fast as it can and prints how many were answered: the stub's own ceiling
 *
 * POST .../Messages.json and .../Calls.json answer 201 with a fresh id, after the delay that is set. Each create is kept in
 * memory with its arrival time, sender and receiver. For the harness: GET /count, GET /times (one line a create:
 * microseconds since 1970, from, to), POST /reset?delay_ms=N (forgets all creates). Any other GET answers an empty list.
 * One thread, one epoll loop, keep-alive, no TLS; it trusts its clients, which are on this machine.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, IN_ROOM = 32768, NUMBER_ROOM = 20, MOST_FILES = 4096 };

typedef struct {
    int64_t at;
    char from[NUMBER_ROOM], to[NUMBER_ROOM];
} Create;

typedef struct {
    char *data;
    size_t used, room, sent;
} Out;

typedef struct {
    uint32_t life; /* counts the connections that had this file number, so that a late answer finds its own only */
    size_t used;
    char in[IN_ROOM + 1];
    Out out;
    int is_waiting_to_write;
} Conn;

typedef struct {
    int64_t due;
    int file;
    uint32_t life;
    size_t create;
    char kind[3];
} Late;

static Conn *conns[MOST_FILES];
static Create *creates;
static size_t create_count, create_room;
static Late *lates; /* a queue: with one delay for all, who came first is due first */
static size_t late_first, late_end, late_room;
static int64_t delay_us;
static int loop;

static void *grown(void *old, size_t bytes) {
    void *fresh = realloc(old, bytes);
    if (!fresh) { perror("realloc"); exit(1); }
    return fresh;
}

static int64_t now_us(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void put(Out *out, const char *data, size_t length) {
    if (out->used + length > out->room) {
        out->room = (out->used + length) * 2;
        out->data = grown(out->data, out->room);
    }
    memcpy(out->data + out->used, data, length);
    out->used += length;
}

static void answer(Out *out, const char *status, const char *body, size_t length) {
    char head[160];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                     status, length);
    put(out, head, (size_t)n);
    put(out, body, length);
}

static void flush(int file) {
    Conn *c = conns[file];
    Out *out = &c->out;
    while (out->sent < out->used) {
        ssize_t n = send(file, out->data + out->sent, out->used - out->sent, MSG_NOSIGNAL);
        if (n < 0) break;
        out->sent += (size_t)n;
    }
    if (out->sent == out->used) out->sent = out->used = 0;
    int must_wait = out->used > 0;
    if (must_wait != c->is_waiting_to_write) {
        struct epoll_event e = {.events = EPOLLIN | (must_wait ? EPOLLOUT : 0), .data.fd = file};
        epoll_ctl(loop, EPOLL_CTL_MOD, file, &e);
        c->is_waiting_to_write = must_wait;
    }
}

/* The carrier's whole answer, as its published contract has it; the words themselves are not echoed. */
static void answer_create(int file, size_t index, const char *kind) {
    char body[1200];
    const Create *it = &creates[index];
    int n = snprintf(body, sizeof body,
        "{\"sid\":\"%s%08lx%024zx\",\"account_sid\":\"AC00000000000000000000000000000000\",\"messaging_service_sid\":null,"
        "\"to\":\"%s\",\"from\":\"%s\",\"body\":\"\",\"status\":\"queued\",\"num_segments\":\"1\",\"num_media\":\"0\","
        "\"direction\":\"outbound-api\",\"error_code\":null,\"error_message\":null,\"price\":null,\"price_unit\":\"USD\","
        "\"date_created\":\"Mon, 01 Jan 2024 00:00:00 +0000\",\"date_updated\":\"Mon, 01 Jan 2024 00:00:00 +0000\","
        "\"date_sent\":null,\"uri\":\"/\",\"subresource_uris\":{},\"api_version\":\"2010-04-01\"}",
        kind, (unsigned long)(it->at & 0xffffffff), index, it->to, it->from);
    answer(&conns[file]->out, "201 Created", body, (size_t)n);
}

/* Copy a form field, with %2B read as a plus; numbers hold nothing else that is written in percent signs. */
static void field(const char *body, const char *name, char *to) {
    size_t length = strlen(name), n = 0;
    for (const char *at = body; at; at = strchr(at, '&')) {
        if (*at == '&') at++;
        if (strncmp(at, name, length) || at[length] != '=') continue;
        for (at += length + 1; *at && *at != '&' && n < NUMBER_ROOM - 1; at++) {
            if (at[0] == '%' && at[1] && at[2]) { to[n++] = '+'; at += 2; } else to[n++] = *at;
        }
        break;
    }
    to[n] = 0;
}

static void take_create(int file, const char *body, const char *kind) {
    if (create_count == create_room) {
        create_room = create_room ? create_room * 2 : 65536;
        creates = grown(creates, create_room * sizeof *creates);
    }
    Create *it = &creates[create_count];
    it->at = now_us(CLOCK_REALTIME);
    field(body, "From", it->from);
    field(body, "To", it->to);
    if (!delay_us) {
        answer_create(file, create_count++, kind);
        return;
    }
    if (late_end == late_room) {
        memmove(lates, lates + late_first, (late_end - late_first) * sizeof *lates);
        late_end -= late_first;
        late_first = 0;
        if (late_end * 2 >= late_room) {
            late_room = late_room ? late_room * 2 : 1024;
            lates = grown(lates, late_room * sizeof *lates);
        }
    }
    Late late = {.due = now_us(CLOCK_MONOTONIC) + delay_us, .file = file, .life = conns[file]->life, .create = create_count++};
    memcpy(late.kind, kind, 3);
    lates[late_end++] = late;
}

static void hand_out_times(Out *out) {
    Out text = {0};
    char line[96];
    for (size_t i = 0; i < create_count; i++) {
        int n = snprintf(line, sizeof line, "%lld %s %s\n", (long long)creates[i].at, creates[i].from, creates[i].to);
        put(&text, line, (size_t)n);
    }
    answer(out, "200 OK", text.data ? text.data : "", text.used);
    free(text.data);
}

static void handle(int file, const char *head, const char *body) {
    Out *out = &conns[file]->out;
    char text[80];
    if (!strncmp(head, "POST ", 5) && strstr(head, "/Messages.json ")) take_create(file, body, "SM");
    else if (!strncmp(head, "POST ", 5) && strstr(head, "/Calls.json ")) take_create(file, body, "CA");
    else if (!strncmp(head, "POST /reset?delay_ms=", 21)) {
        delay_us = atoll(head + 21) * 1000;
        create_count = late_first = late_end = 0;
        answer(out, "200 OK", "{}", 2);
    } else if (!strncmp(head, "GET /times ", 11)) hand_out_times(out);
    else if (!strncmp(head, "GET /count ", 11))
        answer(out, "200 OK", text, (size_t)snprintf(text, sizeof text, "{\"creates\":%zu}", create_count));
    else answer(out, "200 OK", "{\"messages\":[],\"calls\":[],\"next_page_uri\":null}", 48);
}

/* Where the first whole request in `in` ends (0: not all of it is there), and where its body begins. */
static size_t whole(char *in, char **body) {
    char *end = strstr(in, "\r\n\r\n");
    if (!end) return 0;
    *end = 0;
    char *length = strcasestr(in, "\ncontent-length:");
    size_t body_length = length ? strtoul(length + 16, NULL, 10) : 0;
    *end = '\r';
    *body = end + 4;
    return (size_t)(end + 4 - in) + body_length;
}

static void hang_up(int file) {
    epoll_ctl(loop, EPOLL_CTL_DEL, file, NULL);
    conns[file]->life++;
    close(file);
}

static void take_requests(int file) {
    Conn *c = conns[file];
    ssize_t n = recv(file, c->in + c->used, IN_ROOM - c->used, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) { hang_up(file); return; }
    c->used += (size_t)n;
    c->in[c->used] = 0;
    char *start = c->in, *body = NULL;
    for (size_t length; (length = whole(start, &body)) && start + length <= c->in + c->used; start += length) {
        char kept = start[length];
        start[length] = 0;
        handle(file, start, body);
        start[length] = kept;
    }
    c->used -= (size_t)(start - c->in);
    memmove(c->in, start, c->used + 1);
    if (c->used == IN_ROOM) { hang_up(file); return; }
    flush(file);
}

static void join(int file) {
    int one = 1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!conns[file]) {
        conns[file] = grown(NULL, sizeof(Conn));
        memset(conns[file], 0, sizeof(Conn));
    }
    Conn *c = conns[file];
    c->used = c->out.used = c->out.sent = 0;
    c->is_waiting_to_write = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = file};
    epoll_ctl(loop, EPOLL_CTL_ADD, file, &e);
}

/* Answer the creates whose delay is over; return how long the loop may sleep, in milliseconds (-1: for ever). */
static int answer_late_ones(void) {
    int64_t now = late_first < late_end ? now_us(CLOCK_MONOTONIC) : 0;
    for (; late_first < late_end && lates[late_first].due <= now; late_first++) {
        Late *late = &lates[late_first];
        if (conns[late->file]->life != late->life) continue;
        answer_create(late->file, late->create, late->kind);
        flush(late->file);
    }
    return late_first == late_end ? -1 : (int)((lates[late_first].due - now + 999) / 1000);
}

static int serve(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    if (bind(listener, (struct sockaddr *)&where, size) || listen(listener, 1024)) { perror("listen"); return 1; }
    getsockname(listener, (struct sockaddr *)&where, &size);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[EVENTS];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(loop, ready, EVENTS, answer_late_ones());
        for (int i = 0; i < n; i++) {
            int file = ready[i].data.fd;
            if (file != listener) {
                if (ready[i].events & EPOLLOUT) flush(file);
                if (ready[i].events & ~(uint32_t)EPOLLOUT) take_requests(file);
                continue;
            }
            while ((file = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (file < MOST_FILES) join(file); else close(file);
            }
        }
    }
}

static int load(int port, int connections, double seconds) {
    static const char body[] =
        "To=%2B13125550100&From=%2B13125550199&Body=Northside+Physio%3A+use+heat+for+15+minutes+this+evening.+Reply+STOP+to+end."
        "&StatusCallback=https%3A%2F%2Fbench.example%2Fwebhooks%2Fsms%2Fstatus%2F00000000-0000-4000-8000-000000000000%2F"
        "&ValidityPeriod=36000";
    static char request[1024];
    int length = snprintf(request, sizeof request,
        "POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Authorization: Basic QUM6dG9rZW4=\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof body - 1, body);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    for (int i = 0; i < connections; i++) {
        int file = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        if (connect(file, (struct sockaddr *)&where, sizeof where)) { perror("connect"); return 1; }
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = file};
        epoll_ctl(loop, EPOLL_CTL_ADD, file, &e);
        if (send(file, request, (size_t)length, MSG_NOSIGNAL) != length) { perror("send"); return 1; }
    }
    static char in[8192];
    struct epoll_event ready[EVENTS];
    long answered = 0;
    int64_t began = now_us(CLOCK_MONOTONIC), until = began + (int64_t)(seconds * 1e6), now = began;
    for (; now < until; now = now_us(CLOCK_MONOTONIC)) {
        int n = epoll_wait(loop, ready, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            /* The answer is far smaller than a segment of the loopback device, so it comes in one piece. */
            if (recv(ready[i].data.fd, in, sizeof in, 0) <= 0) { fprintf(stderr, "the stub hung up\n"); return 1; }
            answered++;
            if (send(ready[i].data.fd, request, (size_t)length, MSG_NOSIGNAL) != length) return 1;
        }
    }
    printf("{\"answered\":%ld,\"seconds\":%.6f}\n", answered, (double)(now - began) / 1e6);
    return 0;
}

int main(int count, char **words) {
    loop = epoll_create1(0);
    if (count == 2 && !strcmp(words[1], "serve")) return serve();
    if (count == 5 && !strcmp(words[1], "load")) return load(atoi(words[2]), atoi(words[3]), atof(words[4]));
    fprintf(stderr, "usage: stub serve | stub load PORT CONNECTIONS SECONDS\n");
    return 2;
}
