/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

const char sample_records[] =
	"type=SYSCALL msg=audit(1795180151.420:1413): arch=c000003e syscall=59 success=yes exit=0 a0=55d a1=55e a2=55f a3=8 items=2 ppid=1 pid=2 "
	"auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=9 comm=\"cp\" exe=\"/usr/bin/cp\" subj=unconfined "
	"key=61016201\x1d" "ARCH=x86_64 SYSCALL=execve AUID=\"alice\" UID=\"root\"\n"
	"type=EXECVE msg=audit(1795180151.420:1413): argc=4 a0=\"cp\" a1_len=6 a1[0]=616263\n"
	"type=EXECVE msg=audit(1795180151.420:1413): a1[1]=C3BC25 a2=\"x%y\" a3=00FF\n"
	"type=CWD msg=audit(1795180151.420:1413): cwd=\"/root\"\n"
	"type=PATH msg=audit(1795180151.420:1413): item=0 name=\"a b\" inode=1 dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0\n"
	"type=PATH msg=audit(1795180151.420:1413): item=1 name=(null) inode=1 nametype=UNKNOWN odd=1 odd=2 odd.name=3 =text\n"
	"type=PROCTITLE msg=audit(1795180151.420:1413): proctitle=6370002F726F6F74\n"
	"type=EOE msg=audit(1795180151.420:1413): \n"
	"node=h type=USER_LOGIN msg=audit(1795180152.001:1414): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct=\"bob\" "
	"exe=\"/usr/sbin/sshd\" hostname=? addr=2001:db8::1 terminal=sshd res=failed'\x1dUID=\"root\" AUID=\"unset\"\n"
	"type=SYSCALL msg=audit(1795180153.000:1415): arch=c000003e syscall=42 success=no exit=-13 a0=3 a1=7f a2=10 a3=0 items=0 ppid=1 pid=3 auid=1000 "
	"uid=1000 comm=\"nc\" exe=\"/bin/nc\" key=\"net\"\n"
	"type=SOCKADDR msg=audit(1795180153.000:1415): saddr=020000500A0000010000000000000000\n"
	"type=SOCKADDR msg=audit(1795180153.000:1415): saddr=01002F6465762F6C6F6700\x1dSADDR={ saddr_fam=local path=/dev/log }\n"
	"type=PROCTITLE msg=audit(1795180153.000:1415): proctitle=\"nc\"\n"
	"type=AVC msg=audit(1795180154.000:1416): avc:  denied  { read write } for  pid=1 comm=\"x\" name=\"shadow\" tclass=file permissive=0\n"
	"not a record at all \xff\x01\n"
	"\n"
	"type=UNKNOWN[1999] msg=audit(1795180155.000:1417): a=b words without end";

void *failing_resize(void *ctx, void *old, size_t size)
{
	struct failing *f = ctx;
	void *p;

	if (size == 0) {
		f->held -= old != NULL;
		free(old);
		return NULL;
	}
	f->calls++;
	if (f->calls == f->fail_at || (f->then_all && f->fail_at > 0 && f->calls > f->fail_at))
		return NULL;
	p = realloc(old, size);
	if (p == NULL)
		abort();
	f->held += old == NULL;
	return p;
}

size_t test_name(void *ctx, bool group, int64_t id, double now, char *to)
{
	(void)ctx;
	(void)now;
	return (size_t)snprintf(to, NAME_MAX_BYTES, "%c%lld", group ? 'g' : 'u', (long long)id);
}

int main(void)
{
	test_decode();
	test_scan();
	test_tables();
	test_pipeline();
	test_allocation();
	test_filter();
	puts("C unit tests passed");
	return 0;
}
