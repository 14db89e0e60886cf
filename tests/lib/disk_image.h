/*
 * disk_image: the form of what disk_shim keeps, and how it becomes a folder again.
 *
 * In the image's folder: `root` has the key of the state's folder; `f<key>` is the content of a file, missing when it
 * never was synced (then it is empty); `d<key>` has the names of a folder, a line each: its key with f or d before it,
 * a blank, the name; missing when it never was synced (then nothing is in it).
 */
#ifndef TESTS_LIB_DISK_IMAGE_H
#define TESTS_LIB_DISK_IMAGE_H

#define DISK_KEY_SIZE 64

/* Puts the image in the place of the folder, which is emptied. Ends the program when it cannot. */
void disk_restore(const char *image, const char *state);

#endif
