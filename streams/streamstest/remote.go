package streamstest

import "testing"

// NewRedisLink returns a link to a Redis server that is not a [Cluster]'s: the
// one that dial reaches. It is closed when the test ends.
func NewRedisLink(t testing.TB, dial DialFunc) *Link {
	l := newLink(dial, func() wire { return new(redisWire) })
	t.Cleanup(l.close)
	return l
}
