#include "ui/keys.h"

const struct key key_table[] = {
#define X(action, key, text, label, help) {ACT_##action, key, text, label, help},
    KEYS(X)
#undef X
};

const size_t key_count = sizeof(key_table) / sizeof(key_table[0]);
