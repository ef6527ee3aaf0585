/* SPDX-License-Identifier: GPL-2.0 */
/* One struct with every shape that a member path can meet; the test knows it from the compiler. */
#ifndef LAYOUT_SAMPLE_H
#define LAYOUT_SAMPLE_H

struct sample_elsewhere; /* declared here, complete in another unit */

struct sample_inner {
	int first;
	union {
		long wide;
		struct {
			char low;
			char high[3];
		};
	};
};

typedef struct {
	short half;
	int whole;
} sample_typedef;

typedef const volatile struct sample_inner *sample_pointer;

enum sample_enum { SAMPLE_A, SAMPLE_B = 300 };

struct sample {
	char pad;
	union {
		unsigned int word;
		struct {
			unsigned int level : 4;
			unsigned int narrow : 1;
			unsigned int : 3;
			unsigned int access : 9; /* crosses a byte */
			unsigned int : 7;
			unsigned int smm : 8;
		};
	} role;
	struct sample_inner inner[3];
	int matrix[2][5];
	const volatile sample_typedef typed;
	sample_pointer pointer;
	struct sample_elsewhere *elsewhere;
	enum sample_enum choice;
	unsigned long long wide_bits : 40;
	int (*function)(int);
	struct {
		struct {
			char deep;
			double deeper;
		};
	};
	char flexible[];
};

#endif
