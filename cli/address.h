/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and ranges by the names that commands use. */
#ifndef SPT_CLI_ADDRESS_H
#define SPT_CLI_ADDRESS_H

#include "decoders/address.h"

#define cli_parse_address spt_parse_address
#define cli_parse_range	  spt_parse_range

#endif
