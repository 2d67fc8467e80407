// Names of threads, as `top -H`, debuggers and core files show them.
#pragma once

#include <pthread.h>

namespace hookhost {

// For the calling thread. At most 15 characters.
inline void name_this_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace hookhost
