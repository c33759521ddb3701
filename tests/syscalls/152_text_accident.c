// SPDX-License-Identifier: Apache-2.0
// Instructions whose bytes look like xrstor, in functions that have no unwind entry: they do what they say; data like that is read as it is.
#include "t.h"

// As most of a program that is built without unwind tables: no .cfi here, while main() has an entry.
asm(".pushsection .text.accident,\"ax\"\n.p2align 4\n"
    "push %rbp\nmov %rsp,%rbp\nmov %edi,%eax\nimul $3,%eax,%eax\nadd $7,%eax\nxor %ecx,%ecx\nsub %ecx,%eax\npop %rbp\nret\n"
    ".globl value\n.p2align 4\n"
    "value: push %rbp\nmov %rsp,%rbp\nxor %edx,%edx\nmov $0x28ae0f,%eax\nadd %edx,%eax\npop %rbp\nret\n"
    ".globl sum\n.p2align 4\n"
    "sum: push %rbp\nmov %rsp,%rbp\nmov %rdi,%rax\nadd $0x29ae0f,%rax\npop %rbp\nret\n"
    ".globl branch\n.p2align 4\n"
    "branch: push %rbp\nmov %rsp,%rbp\nmov %edi,%eax\ntest %eax,%eax\ncall far_away\nbehind: add %edi,%eax\npop %rbp\nret\n"
    ".skip 0x2aae0f - (. - behind), 0xcc\n" // the call's displacement
    "far_away: lea 1(%rax,%rax),%eax\nret\n"
    ".globl data\n.p2align 12\n"
    "data: .skip 256, 0x90\n.byte 0x0f, 0xae, 0x28, 0x0f, 0xae, 0x6c, 0x24, 0x40\n.popsection\n");
int value(void), branch(int);
long sum(long);
extern const unsigned char data[];

int main(void)
{
	static const unsigned char like[] = {0x0f, 0xae, 0x28, 0x0f, 0xae, 0x6c, 0x24, 0x40};

	for (int i = 0; i < 3; i++) {
		say("%x %lx %x\n", value(), sum(1), branch(5));
		T(!memcmp(data + 256, like, sizeof(like)));
	}
	return 0;
}
