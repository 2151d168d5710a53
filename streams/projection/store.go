package projection

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
)

// Store is one version of one view in Redis: its rows and its bookkeeping.
//
// [Store.Apply] is what makes a view exactly once: it writes the rows of a batch
// and moves the position of its partition in one step, and only if the stored
// position is the batch's first offset. A batch that comes a second time, late,
// or from a worker that has lost the partition finds another position and
// changes nothing. Everything that could fail is checked before anything is
// written, because Redis takes nothing back of a script that fails half-way.
//
// Errors are those of the transport, for which see [Waits], and the typed ones
// that a method names. A method that was interrupted may have done its work;
// all of them can be called again with the same arguments.
//
// A Store is safe for concurrent use.
type Store struct {
	client     redis.UniversalClient
	id         ViewID
	scripts    scripts
	definition atomic.Pointer[Definition]
}

// NewStore returns the store of a view version. [Store.Define] comes first.
func NewStore(client redis.UniversalClient, id ViewID) *Store {
	return &Store{client: client, id: id, scripts: newScripts()}
}

// Define writes the definition where the view version has neither a definition
// nor other bookkeeping, and compares it with what is there otherwise. It returns a
// [*DigestError], [*LayoutError], [*TopicChangedError], [*ClusterChangedError]
// or [ErrNoDefinition] where a worker with this definition must not touch the
// rows.
func (s *Store) Define(ctx context.Context, d Definition) error {
	reply, err := s.run(ctx, s.scripts.define, []string{keyDefinition, keyPositions, keyEpochs, keyMarks, keyRows}, d.pairs()...)
	if err != nil {
		return err
	}
	if len(reply) == 0 {
		return s.wrap(ErrNoDefinition)
	}
	hash := make(map[string]string, len(reply)/2)
	for i := 0; i+1 < len(reply); i += 2 {
		hash[reply[i]] = reply[i+1]
	}
	stored, err := parseDefinition(hash)
	if err != nil {
		return s.wrap(err)
	}
	if err := d.compare(&stored); err != nil {
		return s.wrap(err)
	}
	s.definition.Store(&d)
	return nil
}

// Stored is what Redis has of a partition.
type Stored struct {
	// Position is where the rows are; that of [Absent] where there is none.
	Position Position
	// Mark is the position that must be reached to be hot, [Absent] where the
	// partition was not hot yet.
	Mark int64
}

// Assignment is what a new owner of a partition finds.
type Assignment struct {
	// Epoch is the owner's own.
	Epoch int64
	// Stored has the position where it begins to read.
	Stored
}

// Assign takes a partition over: it raises the epoch and returns it with the
// stored position; one that never had any begins at the given one. It returns
// [ErrWiped] or a [*DigestError] where the definition is gone or another one, and
// [ErrLostPosition].
func (s *Store) Assign(ctx context.Context, p streams.Partition, begin Position) (Assignment, error) {
	var a Assignment
	reply, err := s.run(ctx, s.scripts.assign, []string{keyDefinition, keyEpochs, keyPositions, keyMarks, keySeen},
		s.digest(), p.String(), now(), begin.String())
	if err != nil {
		return a, err
	}
	if err := s.refusal(reply, 4); err != nil {
		return a, err
	}
	var errs [3]error
	a.Epoch, errs[0] = bookNumber(keyEpochs, reply[1])
	a.Position, errs[1] = bookPosition(reply[2])
	a.Mark, errs[2] = bookNumber(keyMarks, reply[3])
	return a, s.wrap(errors.Join(errs[:]...))
}

// Write is a batch of one partition.
type Write struct {
	Partition streams.Partition
	// Epoch is the owner's: see [Assignment].
	Epoch int64
	// First is the position before the batch, Next the one behind it.
	First, Next Position
	// Fold is what the batch does to rows. Nil or empty: nothing, only the
	// position moves.
	Fold *Fold
	// Load is what First loads; nil where it does not.
	Load *Load
}

// Apply applies a batch, whole or not at all. See [Answer] for what it can find
// instead; then nothing was written.
func (s *Store) Apply(ctx context.Context, w Write) (Answer, error) {
	var batch []byte
	if w.Fold != nil && w.Fold.Rows() > 0 {
		batch = w.Fold.pack(s.id.RowKey(""))
	}
	args := []any{s.digest(), w.Partition.String(), w.Epoch, w.First.String(), w.Next.String(), batch}
	if w.Load != nil {
		args = append(args, w.Load.Topic, w.Load.Fold, w.Load.Patience.Milliseconds(), time.Since(w.Load.Since).Milliseconds(), w.Load.Whole)
	}
	reply, err := s.run(ctx, s.scripts.apply, []string{keyDefinition, keyPositions, keyEpochs, keyRows, keyLoads}, args...)
	if err != nil {
		return Answer{}, err
	}
	a, err := parseAnswer(s.id, reply)
	return a, s.wrap(err)
}

// Confirm says that the owner of a partition lives, and returns the position
// and the mark that are stored: a position that is not the owner's own, or
// a lower mark, means that Redis went back in time. It returns [ErrWiped] where
// the definition is gone, and an error where a newer owner has taken the
// partition over.
func (s *Store) Confirm(ctx context.Context, p streams.Partition, epoch int64) (Stored, error) {
	reply, err := s.run(ctx, s.scripts.confirm, []string{keyDefinition, keyPositions, keySeen, keyMarks, keyEpochs}, p.String(), now(), epoch)
	if err != nil {
		return Stored{}, err
	}
	if err := s.refusal(reply, 3); err != nil {
		return Stored{}, err
	}
	var stored Stored
	var errs [2]error
	stored.Position, errs[0] = bookPosition(reply[1])
	stored.Mark, errs[1] = bookNumber(keyMarks, reply[2])
	return stored, s.wrap(errors.Join(errs[:]...))
}

// Seen says that the owner of those partitions lives.
func (s *Store) Seen(ctx context.Context, ps ...streams.Partition) error {
	if len(ps) == 0 {
		return nil
	}
	at := now()
	pairs := make([]string, 0, 2*len(ps))
	for _, p := range ps {
		pairs = append(pairs, p.String(), at)
	}
	return s.wrap(s.client.HSet(ctx, s.id.key(keySeen), pairs).Err())
}

// Marked is what [Store.MarkHot] found when it had done its work.
type Marked struct {
	// Hot says that every partition of the view has reached its mark.
	Hot bool
	// Marks are those that stand in Redis.
	Marks map[streams.Partition]int64
}

// MarkHot writes the marks of partitions: the positions that they must reach to
// be hot, which they have; where one has not, none is written. A mark is only
// ever raised. Where every partition of the view is hot then, the version becomes
// the live one if there is none. It may be called without marks. It returns
// [ErrWiped] or a [*DigestError] where the definition is gone or another one.
func (s *Store) MarkHot(ctx context.Context, marks map[streams.Partition]int64) (Marked, error) {
	args := []any{s.digest()}
	for p, mark := range marks {
		args = append(args, p.String(), mark)
	}
	reply, err := s.run(ctx, s.scripts.mark, []string{keyDefinition, keyMarks, keyPositions}, args...)
	if err != nil {
		return Marked{}, err
	}
	if err := s.refusal(reply[:min(2, len(reply))], 2); err != nil {
		return Marked{}, err
	}
	m, err := s.marked(reply[2:])
	d := s.definition.Load()
	if m.Hot = d != nil && reply[1] == strconv.Itoa(d.partitions()); err != nil || !m.Hot {
		return m, err
	}
	// its key is on a node of its own: a crash in between is mended by the next call
	return m, s.wrap(s.client.SetNX(ctx, s.id.liveKey(), s.id.Version, 0).Err())
}

// marked reads partitions and their marks.
func (s *Store) marked(reply []string) (Marked, error) {
	m := Marked{Marks: make(map[streams.Partition]int64, len(reply)/2)}
	for i := 0; i+1 < len(reply); i += 2 {
		p, err := parsePartition(reply[i])
		if err != nil {
			return Marked{}, s.wrap(foreign(keyMarks, err))
		}
		if m.Marks[p], err = bookNumber(keyMarks, reply[i+1]); err != nil {
			return Marked{}, s.wrap(err)
		}
	}
	return m, nil
}

// RaiseMark raises the mark of a partition whose position went back to the
// position that it had, so that it is not hot before it is there again. It
// returns [ErrWiped] or a [*DigestError] where the definition is gone or another
// one, and an error where a newer owner has taken the partition over.
func (s *Store) RaiseMark(ctx context.Context, p streams.Partition, epoch, mark int64) error {
	reply, err := s.run(ctx, s.scripts.raise, []string{keyDefinition, keyEpochs, keyMarks}, s.digest(), p.String(), epoch, mark)
	if err != nil {
		return err
	}
	return s.refusal(reply, 1)
}

// run runs a script. A Redis that does not know it is given it.
func (s *Store) run(ctx context.Context, script *redis.Script, names []string, args ...any) ([]string, error) {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = s.id.key(name)
	}
	reply, err := script.Run(ctx, s.client, keys, args...).StringSlice()
	if damaged(err) {
		err = foreign(strings.Join(names, ", "), err)
	}
	return reply, s.wrap(err)
}

// damaged says that a command of a script found what it cannot read.
func damaged(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && (strings.Contains(reply.Error(), "WRONGTYPE") || strings.Contains(reply.Error(), "not an integer"))
}

// refusal is the error of a reply that says why nothing was done; a reply that
// says OK has so many parts.
func (s *Store) refusal(reply []string, parts int) error {
	switch {
	case len(reply) == parts && reply[0] == "OK":
		return nil
	case len(reply) == 2 && reply[0] == "FENCED":
		return s.wrap(errFenced)
	case len(reply) == 1 && reply[0] == "WIPED":
		return s.wrap(ErrWiped)
	case len(reply) == 1 && reply[0] == "LOST":
		return s.wrap(ErrLostPosition)
	case len(reply) == 2 && reply[0] == "DIGEST":
		return s.wrap(&DigestError{Mine: s.digest(), Theirs: reply[1]})
	}
	return s.wrap(fmt.Errorf("%w: %q", errReply, reply))
}

// digest is that of the definition; empty before it is defined.
func (s *Store) digest() string {
	if d := s.definition.Load(); d != nil {
		return d.Digest
	}
	return ""
}

// wrap names the view version in an error.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("view %s: %w", s.id, err)
}

// now is the time as the bookkeeping has it.
func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }
