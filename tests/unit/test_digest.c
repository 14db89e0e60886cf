/* Digests and hashes against published values, and paths. */
#include "core/digest.h"
#include "core/hash.h"
#include "core/paths.h"
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

static void sha256(void **state)
{
	(void)state;
	char text[DIGEST_SIZE];
	/* FIPS 180-2, appendix B.1, and the digest of nothing. */
	assert_int_equal(digest_of("abc", 3, text, NULL), 0);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_of("", 0, text, NULL), 0);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	struct digest *d = digest_new(NULL);
	assert_non_null(d);
	assert_int_equal(digest_add(d, "a", 1, NULL), 0);
	assert_int_equal(digest_add(d, "", 0, NULL), 0);
	assert_int_equal(digest_add(d, "bc", 2, NULL), 0);
	assert_int_equal(digest_end(d, text, NULL), 0);
	digest_free(d);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_valid(text));
	text[0] = 'B';
	assert_false(digest_valid(text));
	assert_false(digest_valid("ba78"));
}

static void xxh64(void **state)
{
	(void)state;
	/* The separator keeps salt and unit apart. */
	assert_true(hash_unit("ab", "c", 1) != hash_unit("a", "bc", 2));
	assert_true(hash_unit("a", "u", 1) == hash_unit("a", "u", 1));
	assert_true(hash_unit("a", "u", 1) != hash_unit("b", "u", 1));
	/* XXH64 of one zero byte with seed 0. */
	assert_true(hash_unit("", NULL, 0) == UINT64_C(0xe934a84adb052768));
}

static void clear_environment(void)
{
	unsetenv("MLDECK_STATE");
	unsetenv("MLDECK_SOCKET");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/someone", 1);
}

static void state_paths(void **state)
{
	(void)state;
	char path[PATHS_SIZE];
	struct err e = {0};
	clear_environment();
	assert_int_equal(paths_state(path, sizeof path, &e), 0);
	assert_string_equal(path, geteuid() == 0 ? "/var/lib/mldeck" : "/home/someone/.local/state/mldeck");
	setenv("XDG_STATE_HOME", "/x", 1);
	assert_int_equal(paths_state(path, sizeof path, &e), 0);
	assert_string_equal(path, "/x/mldeck");
	setenv("MLDECK_STATE", "/y", 1);
	assert_int_equal(paths_state(path, sizeof path, &e), 0);
	assert_string_equal(path, "/y");
	assert_int_equal(paths_state(path, 2, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static void socket_paths(void **state)
{
	(void)state;
	char path[PATHS_SIZE], longest[128];
	struct err e = {0};
	clear_environment();
	assert_int_equal(paths_socket("/y", path, sizeof path, &e), 0);
	assert_string_equal(path, "/y/control/mldeck.sock");
	memset(longest, 'a', sizeof longest);
	longest[0] = '/';
	longest[107] = '\0';
	setenv("MLDECK_SOCKET", longest, 1);
	assert_int_equal(paths_socket("/y", path, sizeof path, &e), 0);
	assert_string_equal(path, longest);
	longest[107] = 'a';
	longest[108] = '\0';
	setenv("MLDECK_SOCKET", longest, 1);
	assert_int_equal(paths_socket("/y", path, sizeof path, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256),
	    cmocka_unit_test(xxh64),
	    cmocka_unit_test(state_paths),
	    cmocka_unit_test(socket_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
