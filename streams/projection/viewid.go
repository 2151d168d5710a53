package projection

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/streams"
)

// Layout is the number of the layout of rows and bookkeeping in Redis.
const Layout = 1

// DefaultPrefix begins every key in Redis where the configuration names no
// other prefix.
const DefaultPrefix = "millrace:"

// The keys of a view version's bookkeeping, behind its prefix.
const (
	keyDefinition = "m:def"
	keyPositions  = "m:pos"
	keyEpochs     = "m:epoch"
	keyMarks      = "m:hot"
	keySeen       = "m:seen"
	keyRows       = "m:rows"
	keyLoads      = "m:load"
	prefixRow     = "r:"
)

// ViewID names one version of one view in one Redis.
type ViewID struct {
	// Prefix begins every key.
	Prefix  string
	View    string
	Version int
}

// String returns the view and its version: fine.3.
func (id ViewID) String() string { return id.View + "." + strconv.Itoa(id.Version) }

// key returns a key of the view version. The braces make Redis keep all of its
// keys on one node.
func (id ViewID) key(rest string) string {
	return id.Prefix + "{" + id.String() + "}:" + rest
}

// RowKey returns the Redis key of a row.
func (id ViewID) RowKey(row string) string { return id.key(prefixRow) + row }

// liveKey is the key that holds the version of the view that readers use.
func (id ViewID) liveKey() string { return id.Prefix + "view:" + id.View }

// parseViewID reads what stands between the braces of a key.
func parseViewID(prefix, s string) (ViewID, bool) {
	name, number, ok := strings.Cut(s, ".")
	version, err := strconv.Atoi(number)
	return ViewID{Prefix: prefix, View: name, Version: version}, ok && err == nil && name != "" && version > 0
}

// parsePartition reads topic/partition.
func parsePartition(s string) (streams.Partition, error) {
	i := strings.LastIndexByte(s, '/')
	if i > 0 {
		if n, err := strconv.ParseInt(s[i+1:], 10, 32); err == nil && n >= 0 {
			return streams.Partition{Topic: s[:i], Partition: int32(n)}, nil
		}
	}
	return streams.Partition{}, fmt.Errorf("%q is not topic/partition", s)
}
