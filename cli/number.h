/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as text by the names that commands use. */
#ifndef SPT_CLI_NUMBER_H
#define SPT_CLI_NUMBER_H

#include "decoders/number.h"

#define CLI_NUMBER_TEXT SPT_NUMBER_TEXT
#define cli_put_decimal spt_put_decimal
#define cli_put_hex	spt_put_hex
#define cli_size	spt_size
#define cli_size_text	spt_size_text

#endif
