/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens -> JSON values of `records`, appended to a buffer (emit_records.py). */
#ifndef AUDITPACK_RECORDS_VALUE_H
#define AUDITPACK_RECORDS_VALUE_H

#include "decode_sockaddr.h"
#include "tables.h"

void records_null(struct buf *to);
void records_plain(struct buf *to, struct slice token);
void records_hex(struct buf *to, struct slice token);
void records_address(struct buf *to, const struct sockaddr_parts *parts);
void records_title(struct buf *to, struct slice bytes);

/* By the kind of its name; hex is decoded in scratch. */
void records_value(struct buf *to, enum kind kind, struct slice token, struct buf *scratch);

#endif
