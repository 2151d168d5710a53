package projection

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Definition is what a view version was built from. It stands beside the rows.
type Definition struct {
	// Layout is that of the rows: [Layout].
	Layout int
	// Digest is the hash of all that can change a row.
	Digest string
	// Text is the definition in canonical form.
	Text string
	// ClusterID is that of the Kafka cluster; empty where it tells none.
	ClusterID string
	// Topics are those that the view reads, by name.
	Topics map[string]TopicIdentity
}

// TopicIdentity is how a topic is known again.
type TopicIdentity struct {
	ID         string
	Partitions int32
}

// Fields of the hash m:def.
const (
	fieldLayout     = "layout"
	fieldDigest     = "digest"
	fieldDefinition = "definition"
	fieldCluster    = "cluster"
	fieldTopic      = "topic:"      // then the name: its ID
	fieldPartitions = "partitions:" // then the name: how many
	fieldSnapshots  = "snapshots"   // name/ID of the snapshot topic; the first load writes it
	fieldFold       = "fold"        // digest of the fold of the snapshots; the first load writes it
)

// pairs returns the definition as fields and values.
func (d *Definition) pairs() []any {
	pairs := []any{
		fieldLayout, strconv.Itoa(d.Layout), fieldDigest, d.Digest,
		fieldDefinition, d.Text, fieldCluster, d.ClusterID,
	}
	for _, name := range slices.Sorted(maps.Keys(d.Topics)) {
		t := d.Topics[name]
		pairs = append(pairs, fieldTopic+name, t.ID, fieldPartitions+name, strconv.Itoa(int(t.Partitions)))
	}
	return pairs
}

// parseDefinition reads the hash.
func parseDefinition(h map[string]string) (Definition, error) {
	d := Definition{Digest: h[fieldDigest], Text: h[fieldDefinition], ClusterID: h[fieldCluster], Topics: map[string]TopicIdentity{}}
	var err error
	if d.Layout, err = strconv.Atoi(h[fieldLayout]); err != nil {
		return d, fmt.Errorf("%s of m:def: %w", fieldLayout, err)
	}
	for field, value := range h {
		name, ok := strings.CutPrefix(field, fieldPartitions)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return d, fmt.Errorf("%s of m:def: %w", field, err)
		}
		d.Topics[name] = TopicIdentity{ID: h[fieldTopic+name], Partitions: int32(n)}
	}
	return d, nil
}

// partitions is how many there are of all topics.
func (d *Definition) partitions() int {
	n := 0
	for _, t := range d.Topics {
		n += int(t.Partitions)
	}
	return n
}

// compare says whether a worker with the definition d can go on with rows that
// were built from the stored one.
func (d *Definition) compare(stored *Definition) error {
	switch {
	case stored.Layout != d.Layout:
		return &LayoutError{Mine: d.Layout, Theirs: stored.Layout}
	case stored.Digest != d.Digest:
		return &DigestError{Mine: d.Digest, Theirs: stored.Digest}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Topics)) {
		now, then := d.Topics[name], stored.Topics[name]
		if now != then {
			return &TopicChangedError{Topic: name, Stored: then, Now: now}
		}
	}
	if stored.ClusterID != "" && d.ClusterID != "" && stored.ClusterID != d.ClusterID {
		return &ClusterChangedError{Stored: stored.ClusterID, Now: d.ClusterID}
	}
	return nil
}

// ErrWiped says that a view version has no definition in Redis, which has lost
// its data or never had any: define it and assign its partitions again.
var ErrWiped = errors.New("the view has no definition in redis")

// ErrNoDefinition says that a view version has positions or other bookkeeping in
// Redis but no definition: nobody knows what its rows were built from.
var ErrNoDefinition = errors.New("redis has bookkeeping of the view (m:pos, m:epoch, m:hot or m:rows) but no definition (m:def); restore it, or delete all keys of this version and let it be built anew")

// ErrLostPosition says that a partition had an owner but has no position: Redis
// lost a part of what the view version has there.
var ErrLostPosition = errors.New("redis has lost the position of the partition (m:pos) but not its epoch (m:epoch), so nobody knows which events are in the rows; " +
	"look for whoever deletes or evicts keys, then delete all keys of this version and let it be built anew")

var errReply = errors.New("not what the script returns")

// DigestError says that the rows were built by other rules.
type DigestError struct{ Mine, Theirs string }

// Error names both digests and the remedy.
func (e *DigestError) Error() string {
	return fmt.Sprintf("rules changed: raise version: the rows were built by rules of digest %.12s, these have digest %.12s", e.Theirs, e.Mine)
}

// LayoutError says that the rows have another layout.
type LayoutError struct{ Mine, Theirs int }

// Error names both layouts and the remedy.
func (e *LayoutError) Error() string {
	return fmt.Sprintf("the rows have layout %d, this worker writes layout %d: run the other worker, or raise version to build them anew", e.Theirs, e.Mine)
}

// TopicChangedError says that a topic is not what it was when the view read it
// first.
type TopicChangedError struct {
	Topic       string
	Stored, Now TopicIdentity
}

// Error names the topic, what changed and the remedy.
func (e *TopicChangedError) Error() string {
	if e.Stored.ID != e.Now.ID {
		return fmt.Sprintf("topic %s was made anew (its ID is %s, the rows were built from %s): raise version to build them from the new topic", e.Topic, e.Now.ID, e.Stored.ID)
	}
	return fmt.Sprintf("topic %s has %d partitions and had %d when the view began: its streams have moved between partitions; copy the events to a new topic and read that", e.Topic, e.Now.Partitions, e.Stored.Partitions)
}

// ClusterChangedError says that the events come from another Kafka cluster.
type ClusterChangedError struct{ Stored, Now string }

// Error names both clusters and the remedy.
func (e *ClusterChangedError) Error() string {
	return fmt.Sprintf("kafka is cluster %s, the rows were built from cluster %s: correct kafka.brokers, or raise version to build them from this cluster", e.Now, e.Stored)
}
