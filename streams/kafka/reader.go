package kafka

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
)

// ReaderOptions are the settings of a [Reader]. The zero value is usable.
type ReaderOptions struct {
	// Topics are what will be opened; log lines name them.
	Topics []string
	// MaxPartitionBytes is how much of one partition a fetch brings; one batch of
	// records that is larger still comes whole. Smaller costs requests; larger
	// costs memory and was measured to be no faster. Default: 256 KiB.
	MaxPartitionBytes int32
	// FetchWait is how long the broker waits for records when there are none.
	// After twice as long in silence the reader asks where the stable end is.
	// Default: 500 ms.
	FetchWait time.Duration
	// Logger takes changes of state. Default: nothing is logged.
	Logger *slog.Logger
}

// WithDefaults returns a copy in which what was left out has its default.
func (o ReaderOptions) WithDefaults() ReaderOptions {
	o.MaxPartitionBytes = cmp.Or(o.MaxPartitionBytes, 256<<10)
	o.FetchWait = cmp.Or(o.FetchWait, 500*time.Millisecond)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Reader fetches the partitions that are opened. Its methods are safe for
// concurrent use.
//
// One goroutine, that of the poll loop, owns the feeds: it alone adds partitions
// to the client and removes them, and sends. Everybody else posts it functions.
// So a fetch that was under way when a partition was closed and opened anew
// never reaches the new feed.
type Reader struct {
	options []kgo.Opt
	opts    ReaderOptions
	log     *slog.Logger
	records sync.Pool     // of *[]streams.Record
	opened  chan struct{} // wakes the watcher
	client  *kgo.Client   // set by Run
	outage  outage

	stalls sync.WaitGroup

	ids map[string][16]byte // of topics, when they were seen first; owned by the watcher

	// Partitions to tell the client about, owned by the poll loop.
	adding   map[streams.Partition]kgo.Offset
	removing map[streams.Partition]bool

	mu        sync.Mutex
	feeds     map[streams.Partition]*Feed
	posted    []func()
	interrupt context.CancelFunc // ends what the poll loop waits for
	stopped   bool
}

// NewReader returns a reader; nothing happens before Run.
func NewReader(cfg Config, opts ReaderOptions) (*Reader, error) {
	opts = opts.WithDefaults()
	log := opts.Logger.With("topics", opts.Topics)
	r := &Reader{
		opts: opts,
		options: cfg.options(
			kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.ConsumeResetOffset(kgo.NoResetOffset()),
			kgo.KeepControlRecords(),
			kgo.FetchMaxPartitionBytes(opts.MaxPartitionBytes),
			kgo.FetchMaxWait(opts.FetchWait),
			kgo.MetadataMinAge(250*time.Millisecond),
			kgo.RequestRetries(questionRetries),
		),
		log:      log,
		outage:   outage{log: log, what: "kafka does not answer the reader", after: 2}, // once is a leader that moves
		opened:   make(chan struct{}, 1),
		ids:      make(map[string][16]byte),
		adding:   make(map[streams.Partition]kgo.Offset),
		removing: make(map[streams.Partition]bool),
		feeds:    make(map[streams.Partition]*Feed),
	}
	if err := kgo.ValidateOpts(r.options...); err != nil {
		return nil, fmt.Errorf("configuring the reader: %w", err)
	}
	return r, nil
}

// Run fetches until the context ends or the client fails for good. When it
// returns every feed is closed. It may be called once.
func (r *Reader) Run(ctx context.Context) error {
	client, leave, err := clientOf(r.options)
	if err != nil {
		return fmt.Errorf("opening the reader: %w", err)
	}
	defer leave()
	r.client = client
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.loop(ctx) })
	group.Go(func() error { return r.watch(ctx) })
	err = group.Wait()
	r.stalls.Wait()
	r.stop()
	return err
}

// stop ends every feed, those to come included.
func (r *Reader) stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.runPosted()
	for _, f := range maps.Clone(r.feeds) {
		r.end(f, ErrReaderStopped)
	}
}

// Open begins to read a partition at exactly this position. A partition may be
// opened again once its feed was closed. Open does not wait; what is wrong with
// the position is told by the feed.
func (r *Reader) Open(p streams.Partition, position int64) *Feed {
	f := &Feed{
		reader:    r,
		partition: p,
		batches:   make(chan Batch, feedBuffer),
		done:      make(chan struct{}),
		position:  position,
		epoch:     -1,
		stable:    -1,
	}
	if !r.post(func() { r.register(f) }) {
		r.end(f, ErrReaderStopped)
	}
	return f
}

// Reason says that Kafka does not answer, and how that shows; empty where it does
// or nothing is open.
func (r *Reader) Reason() string {
	r.mu.Lock()
	open := len(r.feeds) > 0
	r.mu.Unlock()
	if !open {
		return "" // and nobody asks, be Kafka back or not
	}
	return r.outage.reason()
}

// post has fn called by the poll loop, soon; false if there is none any more.
func (r *Reader) post(fn func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return false
	}
	r.posted = append(r.posted, fn)
	if r.interrupt != nil {
		r.interrupt()
	}
	return true
}

// interruptible returns a context that ends when something is posted.
func (r *Reader) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.interrupt = cancel
	if len(r.posted) > 0 {
		cancel()
	}
	return ctx, cancel
}

// runPosted calls what was posted and tells the client.
func (r *Reader) runPosted() {
	r.mu.Lock()
	posted := r.posted
	r.posted = nil
	r.mu.Unlock()
	for _, fn := range posted {
		fn()
	}
	r.tellClient()
}

// tellClient removes and adds what has changed. Each call stops the fetches
// under way, so changes are collected.
func (r *Reader) tellClient() {
	if len(r.removing) > 0 {
		gone := make(map[string][]int32)
		for p := range r.removing {
			gone[p.Topic] = append(gone[p.Topic], p.Partition)
		}
		r.client.RemoveConsumePartitions(gone)
		clear(r.removing)
	}
	if len(r.adding) > 0 {
		added := make(map[string]map[int32]kgo.Offset)
		for p, offset := range r.adding {
			if added[p.Topic] == nil {
				added[p.Topic] = make(map[int32]kgo.Offset)
			}
			added[p.Topic][p.Partition] = offset
		}
		r.client.AddConsumePartitions(added)
		clear(r.adding)
	}
}
