/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON output, written as it comes: a big guest's tree never exists as one
 * object. Scalars and small objects are json-c's; arrays without a bound are
 * opened, filled item by item and closed.
 */
#ifndef SPT_CLI_JSON_H
#define SPT_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

struct cli;

/* Begin and end the object or array @key of the current object (NULL: item of an array). */
void cli_json_object_begin(struct cli *cli, const char *key);
void cli_json_object_end(struct cli *cli);
void cli_json_array_begin(struct cli *cli, const char *key);
void cli_json_array_end(struct cli *cli);

/* Write @value, which is freed, as @key of the current object or as an item. */
void cli_json_put(struct cli *cli, const char *key, struct json_object *value);

/* An address: "0x..." as JSON wants it, without leading zeros. */
struct json_object *cli_json_hex(uint64_t value);
struct json_object *cli_json_uint(uint64_t value);

/* A new member of an object in memory. @key lives as long as the object: a literal. */
void cli_json_set(struct json_object *o, const char *key, struct json_object *value);
void cli_json_set_hex(struct json_object *o, const char *key, uint64_t value);
void cli_json_set_uint(struct json_object *o, const char *key, uint64_t value);
void cli_json_set_int(struct json_object *o, const char *key, int64_t value);
void cli_json_set_bool(struct json_object *o, const char *key, bool value);
void cli_json_set_text(struct json_object *o, const char *key, const char *value); /* NULL: null */

#endif
