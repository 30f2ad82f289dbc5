/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDITPACK_DECODE_SOCKADDR_H
#define AUDITPACK_DECODE_SOCKADDR_H

#include "buf.h"

enum sockaddr_shape { SA_OPAQUE, SA_PATH, SA_ABSTRACT, SA_INET, SA_INET6, SA_NETLINK, SA_PACKET, SA_VSOCK,
		     SA_AX25, SA_IPX, SA_X25, SA_ALG, SA_L2CAP, SA_RFCOMM, SA_SCO, SA_HCI };

/* The parts of a socket address; which are set depends on the shape (sockaddr.py). SA_OPAQUE has none. */
struct sockaddr_parts {
	enum sockaddr_shape shape;
	unsigned family;
	const unsigned char *address; /* inet: 4 bytes, inet6: 16 */
	struct slice path;            /* or abstract name */
	const unsigned char *bytes;   /* of the whole address */
	uint32_t port, flowinfo, scope_id, pid, groups, protocol, ifindex, cid;
	struct slice rest;            /* bytes left over that are not zero padding */
};

struct sockaddr_parts sockaddr_parse(struct slice bytes, bool big_endian);

/* "inet", …; NULL for a family without a name. */
const char *sockaddr_family(unsigned family);

#endif
