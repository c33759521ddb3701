// SPDX-License-Identifier: Apache-2.0
/* Random numbers: ChaCha20 with fast key erasure, seeded by the monitor. */
#include <husk/kernel.h>
#include <husk/lock.h>

/**
 * DOC: generator
 *
 * The pool is one 256-bit key. A request takes one block's worth of key stream under the lock: its first half replaces the
 * key (what was given out cannot be computed from a later dump of the state), its second half is the key of a
 * stream for this request alone, which is made without the lock. Small requests are served from a buffer
 * that is filled in the same way and wiped as it is given out.
 */
#define CHACHA_KEY_WORDS 8
#define BATCH 256

static DEFINE_SPINLOCK(pool_lock);
static u32 pool_key[CHACHA_KEY_WORDS];
static u64 pool_counter;
static u8 batch[BATCH];
static unsigned int batch_left;

static inline u32 rotl(u32 v, int n)
{
	return v << n | v >> (32 - n);
}

#define QUARTER(a, b, c, d)                                                                                            \
	do {                                                                                                           \
		a += b;                                                                                                \
		d = rotl(d ^ a, 16);                                                                                   \
		c += d;                                                                                                \
		b = rotl(b ^ c, 12);                                                                                   \
		a += b;                                                                                                \
		d = rotl(d ^ a, 8);                                                                                    \
		c += d;                                                                                                \
		b = rotl(b ^ c, 7);                                                                                    \
	} while (0)

/* One block of 64 bytes of the key stream (RFC 8439's rounds; a 64-bit counter and a zero nonce). */
static void chacha_block(const u32 *key, u64 counter, u32 *out)
{
	u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	u32 x[16];
	int i;

	memcpy(in + 4, key, 32);
	in[12] = (u32)counter;
	in[13] = (u32)(counter >> 32);
	memcpy(x, in, sizeof(x));
	for (i = 0; i < 10; i++) {
		QUARTER(x[0], x[4], x[8], x[12]);
		QUARTER(x[1], x[5], x[9], x[13]);
		QUARTER(x[2], x[6], x[10], x[14]);
		QUARTER(x[3], x[7], x[11], x[15]);
		QUARTER(x[0], x[5], x[10], x[15]);
		QUARTER(x[1], x[6], x[11], x[12]);
		QUARTER(x[2], x[7], x[8], x[13]);
		QUARTER(x[3], x[4], x[9], x[14]);
	}
	for (i = 0; i < 16; i++)
		out[i] = x[i] + in[i];
}

/* Not to be optimised away: the memory is not read again. */
static void wipe(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

/* A fresh key for one request; under pool_lock. */
static void take_key(u32 *key)
{
	u32 block[16];

	chacha_block(pool_key, pool_counter++, block);
	memcpy(pool_key, block, 32);
	memcpy(key, block + 8, 32);
	wipe(block, sizeof(block));
}

static void stream(u32 *key, u8 *out, size_t n)
{
	u32 block[16];
	u64 counter = 0;

	for (; n >= 64; n -= 64, out += 64) {
		chacha_block(key, counter++, block);
		memcpy(out, block, 64);
	}
	if (n) {
		chacha_block(key, counter, block);
		memcpy(out, block, n);
	}
	wipe(block, sizeof(block));
	wipe(key, 32);
}

/* From the buffer; under pool_lock. n <= BATCH. */
static void take_batch(void *buf, size_t n)
{
	u32 key[CHACHA_KEY_WORDS];

	if (batch_left < n) {
		take_key(key);
		stream(key, batch, BATCH);
		batch_left = BATCH;
	}
	batch_left -= n;
	memcpy(buf, batch + batch_left, n);
	wipe(batch + batch_left, n);
}

/**
 * get_random_bytes - fill a buffer with random bytes
 * @buf: kernel memory
 */
void get_random_bytes(void *buf, size_t n)
{
	u32 key[CHACHA_KEY_WORDS];

	spin_lock(&pool_lock);
	if (n <= 64) {
		take_batch(buf, n);
		spin_unlock(&pool_lock);
		return;
	}
	take_key(key);
	spin_unlock(&pool_lock);
	stream(key, buf, n);
}

u64 get_random_u64(void)
{
	u64 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

/**
 * add_random_bytes - mix bytes into the pool; they cannot make it worse
 */
void add_random_bytes(const void *buf, size_t n)
{
	const u8 *p = buf;
	u32 key[CHACHA_KEY_WORDS];
	size_t i;

	spin_lock(&pool_lock);
	while (n) {
		for (i = 0; i < 32 && n; i++, n--)
			((u8 *)pool_key)[i] ^= *p++;
		take_key(key);
	}
	batch_left = 0;
	spin_unlock(&pool_lock);
	wipe(key, sizeof(key));
}

/**
 * random_init - seed the generator; before its first use
 * @seed: eight random words (boot->seed); the caller clears them
 */
void random_init(const u64 *seed)
{
	memset(pool_key, 0, sizeof(pool_key));
	pool_counter = 0;
	add_random_bytes(seed, 64);
}
