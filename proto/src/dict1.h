/* Preset dictionary 1 of frame mode 1: the words of the schemas and plain Dutch about care. Its bytes never
 * change. */
#ifndef OV_DICT1_H
#define OV_DICT1_H

#include <stdint.h>

#define OV_DICT1_BYTES 16426u
extern const uint8_t ov_dict1[OV_DICT1_BYTES];

#endif
