/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bytes at once: SSE2, which every x86-64 has, or NEON, which every aarch64 has; so nothing is chosen at run time.
 * Wider registers do not pay here: a field is some ten bytes long. Elsewhere, and with AUDITPACK_PORTABLE (for tests), AUDITPACK_VECTOR
 * stays undefined and the callers go byte by byte. */
#ifndef AUDITPACK_VECTOR_H
#define AUDITPACK_VECTOR_H

#include <stdint.h>

#if defined(__SSE2__) && !defined(AUDITPACK_PORTABLE)
#define AUDITPACK_VECTOR
#define AUDITPACK_SSE2
#include <emmintrin.h>

typedef __m128i v16;
#define V16_BITS 1u /* of a mask for one byte */

static inline v16 v16_load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static inline void v16_store(void *p, v16 x)
{
	_mm_storeu_si128((__m128i *)p, x);
}

static inline v16 v16_all(unsigned char c)
{
	return _mm_set1_epi8((char)c);
}

static inline v16 v16_equal(v16 a, v16 b)
{
	return _mm_cmpeq_epi8(a, b);
}

static inline v16 v16_or(v16 a, v16 b)
{
	return _mm_or_si128(a, b);
}

static inline v16 v16_minus(v16 a, v16 b)
{
	return _mm_sub_epi8(a, b);
}

/* Unsigned a <= b. */
static inline v16 v16_at_most(v16 a, v16 b)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(a, b), a);
}

static inline uint64_t v16_mask(v16 x)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(x);
}

#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(AUDITPACK_PORTABLE)
#define AUDITPACK_VECTOR
#include <arm_neon.h>

typedef uint8x16_t v16;
#define V16_BITS 4u

static inline v16 v16_load(const void *p)
{
	return vld1q_u8((const uint8_t *)p);
}

static inline void v16_store(void *p, v16 x)
{
	vst1q_u8((uint8_t *)p, x);
}

static inline v16 v16_all(unsigned char c)
{
	return vdupq_n_u8(c);
}

static inline v16 v16_equal(v16 a, v16 b)
{
	return vceqq_u8(a, b);
}

static inline v16 v16_or(v16 a, v16 b)
{
	return vorrq_u8(a, b);
}

static inline v16 v16_minus(v16 a, v16 b)
{
	return vsubq_u8(a, b);
}

static inline v16 v16_at_most(v16 a, v16 b)
{
	return vcleq_u8(a, b);
}

static inline uint64_t v16_mask(v16 x)
{
	return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(x), 4)), 0);
}
#endif

#if defined(AUDITPACK_VECTOR)
/* The place of the first byte of a mask, which has one. */
static inline unsigned v16_first(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask) / V16_BITS;
}

/* The mask of bytes that are not in x; x: what a comparison gave. */
static inline uint64_t v16_mask_not(v16 x)
{
	return v16_mask(x) ^ (V16_BITS == 1 ? 0xffffu : UINT64_MAX);
}

/* True when the first n (1 to 15) bytes of a mask are set. */
static inline int v16_begins(uint64_t mask, unsigned n)
{
	uint64_t wanted = ((uint64_t)1 << n * V16_BITS) - 1;

	return (mask & wanted) == wanted;
}
#endif

#endif
