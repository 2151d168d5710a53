package projection

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/streams/snapshot"
)

// Absent is the position of a partition that has none stored.
const Absent int64 = -1

// Position is how far a partition of a view is.
type Position struct {
	// Offset is that of the next event to apply; [Absent] where nothing is stored,
	// and while the partition loads snapshots.
	Offset int64
	// Load is how far the load of the snapshots is; zero where there is none.
	Load snapshot.Checkpoint
}

// At is the position before the event at an offset.
func At(offset int64) Position { return Position{Offset: offset} }

// loadingAt is the position of a load.
func loadingAt(c snapshot.Checkpoint) Position { return Position{Absent, c} }

// Loading says that the partition loads snapshots: its next event is not known
// yet.
func (p Position) Loading() bool { return p.Load != snapshot.Checkpoint{} }

// prefixLoad begins the text of a position that loads.
const prefixLoad = "load:"

// String returns the position as it stands in Redis, where scripts compare it as
// text: an offset, or load:<next>:<watermark>:<highest> with a - for what there is
// not. Empty where nothing is stored.
func (p Position) String() string {
	if p.Loading() {
		return fmt.Sprintf("%s%d:%s:%s", prefixLoad, p.Load.Next, offsetText(p.Load.Watermark), offsetText(p.Load.Highest))
	}
	if p.Offset == Absent {
		return ""
	}
	return strconv.FormatInt(p.Offset, 10)
}

func offsetText(n int64) string {
	if n == snapshot.None {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// before says whether p is less far than q: nothing stored, then every load, then
// every offset.
func (p Position) before(q Position) bool {
	if p.Offset == Absent && q.Offset == Absent && p.Loading() != q.Loading() {
		return q.Loading()
	}
	return cmp.Or(cmp.Compare(p.Offset, q.Offset), cmp.Compare(p.Load.Next, q.Load.Next)) < 0
}

// parsePosition reads a stored position; an empty text is that of a partition
// that has none. What is written in any other way than this package writes it is
// refused: the scripts compare texts.
func parsePosition(s string) (Position, error) {
	load, loading := strings.CutPrefix(s, prefixLoad)
	if !loading {
		n, err := parseNumber(s)
		return At(n), err
	}
	var offsets [3]int64
	parts := strings.Split(load, ":")
	for i := range min(len(parts), len(offsets)) {
		if n, err := strconv.ParseInt(parts[i], 10, 64); err == nil {
			offsets[i] = n
		} else {
			offsets[i] = snapshot.None
		}
	}
	p := loadingAt(snapshot.Checkpoint{Next: offsets[0], Watermark: offsets[1], Highest: offsets[2]})
	if !p.Loading() || p.Load.Next < 0 || p.String() != s {
		return Position{}, fmt.Errorf("%q is not a position", s)
	}
	return p, nil
}

// parseNumber reads an offset or another number of the bookkeeping; an empty text
// is [Absent].
func parseNumber(s string) (int64, error) {
	if s == "" {
		return Absent, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%q is not a position", s)
	}
	return n, nil
}
