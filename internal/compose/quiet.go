package compose

import "github.com/redis/go-redis/v9/logging"

// Quiet silences what the Redis client logs by itself, to standard error and in
// a format of its own: each of its errors reaches its caller, who tells it. It
// holds for the process; a main calls it before anything else.
func Quiet() { logging.Disable() }
