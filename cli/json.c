// SPDX-License-Identifier: GPL-2.0
#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/stream.h"

#define MAX_DEPTH 16

struct cli_stream {
	FILE *out;
	int depth; /* open objects and arrays; 0: nothing written yet */
	struct {
		char close;
		bool filled; /* something was written into it */
	} level[MAX_DEPTH];
};

struct cli_stream *cli_stream_create(FILE *out)
{
	struct cli_stream *s = calloc(1, sizeof(*s));

	if (s)
		s->out = out;
	return s;
}

static void write_quoted(struct cli_stream *s, const char *text)
{
	struct json_object *o = json_object_new_string(text);

	fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							JSON_C_TO_STRING_NOSLASHESCAPE),
	      s->out);
	json_object_put(o);
}

/* Everything but the outermost object itself is a member or an item of what is open. */
static void begin_member(struct cli_stream *s, const char *key)
{
	if (!s->depth) {
		fputc('{', s->out);
		s->level[s->depth++].close = '}';
	}
	if (s->level[s->depth - 1].filled)
		fputc(',', s->out);
	if (s->level[s->depth - 1].close == ']')
		fputc('\n', s->out);
	s->level[s->depth - 1].filled = true;
	if (key) {
		write_quoted(s, key);
		fputc(':', s->out);
	}
}

static void begin(struct cli_stream *s, const char *key, char open, char close)
{
	begin_member(s, key);
	if (s->depth == MAX_DEPTH)
		abort();
	fputc(open, s->out);
	s->level[s->depth].close = close;
	s->level[s->depth++].filled = false;
}

static void end(struct cli_stream *s)
{
	s->depth--;
	if (s->level[s->depth].close == ']' && s->level[s->depth].filled)
		fputc('\n', s->out);
	fputc(s->level[s->depth].close, s->out);
}

void cli_stream_finish(struct cli_stream *s, const struct spt_error *error)
{
	while (s->depth > 1)
		end(s);
	if (error) {
		struct json_object *o = json_object_new_object();

		begin_member(s, "error");
		cli_json_set_int(o, "code", error->code);
		cli_json_set_text(o, "message", error->text);
		fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE),
		      s->out);
		json_object_put(o);
	}
	if (!s->depth)
		fputc('{', s->out);
	fputs("}\n", s->out);
	free(s);
}

void cli_json_object_begin(struct cli *cli, const char *key)
{
	begin(cli->json_out, key, '{', '}');
}

void cli_json_object_end(struct cli *cli)
{
	end(cli->json_out);
}

void cli_json_array_begin(struct cli *cli, const char *key)
{
	begin(cli->json_out, key, '[', ']');
}

void cli_json_array_end(struct cli *cli)
{
	end(cli->json_out);
}

void cli_json_put(struct cli *cli, const char *key, struct json_object *value)
{
	begin_member(cli->json_out, key);
	fputs(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE),
	      cli->json_out->out);
	json_object_put(value);
}

struct json_object *cli_json_hex(uint64_t value)
{
	char text[2 + 16], *p = text + sizeof(text);

	do {
		*--p = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	*--p = 'x';
	*--p = '0';
	return json_object_new_string_len(p, (int)(text + sizeof(text) - p));
}

struct json_object *cli_json_uint(uint64_t value)
{
	return json_object_new_uint64(value);
}

void cli_json_set(struct json_object *o, const char *key, struct json_object *value)
{
	/* Neither copied nor looked for: no object here has a key twice. */
	json_object_object_add_ex(o, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

void cli_json_set_hex(struct json_object *o, const char *key, uint64_t value)
{
	cli_json_set(o, key, cli_json_hex(value));
}

void cli_json_set_uint(struct json_object *o, const char *key, uint64_t value)
{
	cli_json_set(o, key, cli_json_uint(value));
}

void cli_json_set_int(struct json_object *o, const char *key, int64_t value)
{
	cli_json_set(o, key, json_object_new_int64(value));
}

void cli_json_set_bool(struct json_object *o, const char *key, bool value)
{
	cli_json_set(o, key, json_object_new_boolean(value));
}

void cli_json_set_text(struct json_object *o, const char *key, const char *value)
{
	cli_json_set(o, key, value ? json_object_new_string(value) : NULL);
}
