package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams/streamstest"
	"github.com/millrace/millrace/streams/worker"
)

// step is where a worker kills itself: at a request to a server, before that
// arrives, or when it was carried out and nobody has read the answer.
type step struct {
	Server string // kafka or redis
	Name   string // begins with that of the request
	Fault  streamstest.Fault
}

func (s step) String() string {
	side := "before"
	if s.Fault.Action == streamstest.FreezeReply {
		side = "after"
	}
	return fmt.Sprintf("%s request %d: %s", side, s.Fault.Nth, s.Name)
}

// kind is a kind of requests, and how many of them every life of a worker surely
// sends.
type kind struct {
	step
	most int
}

// request is the kind of those requests of Kafka that hold some bytes.
func request(most int, name string, holds ...[]byte) kind {
	f := streamstest.Fault{Holds: holds}
	f.Request, _, _ = strings.Cut(name, " ")
	return kind{step{"kafka", name, f}, most}
}

// at is the step before or after the nth request.
func (k kind) at(nth int, side streamstest.Action) step {
	k.Fault.Nth, k.Fault.Action = nth, side
	return k.step
}

var sides = []streamstest.Action{streamstest.FreezeRequest, streamstest.FreezeReply}

// inTurn returns the steps before and after the first request of each kind.
func inTurn(kinds []kind) (steps []step) {
	for _, k := range kinds {
		for _, side := range sides {
			steps = append(steps, k.at(1, side))
		}
	}
	return steps
}

// drawn returns these steps and others by chance, in a random order.
func drawn(kinds []kind, n int, random *rand.Rand) []step {
	steps := inTurn(kinds)
	for len(steps) < n {
		k := kinds[random.IntN(len(kinds))]
		steps = append(steps, k.at(1+random.IntN(k.most), sides[random.IntN(len(sides))]))
	}
	random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return steps
}

// How requests of Kafka name the places that offsets are listed of, with the
// epoch of a leader that nobody has told.
const (
	firstOffset = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"
	endOffset   = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
)

// listing is what a ListOffsets of some partitions of a topic holds; committed: for
// a reader that sees what is committed only.
func listing(topic string, partitions int, committed bool) []byte {
	held := []byte{0, 2} // the isolation, and that one topic follows
	if committed {
		held[0] = 1
	}
	held = binary.AppendUvarint(held, uint64(len(topic)+1))
	return append(append(held, topic...), byte(partitions+1))
}

// topicID is the ID of a topic as requests hold it.
func (e *Env) topicID(topic string) []byte {
	e.t.Helper()
	details, err := e.Admin.ListTopics(e.context(), topic)
	if err == nil {
		err = details.Error()
	}
	if err != nil {
		e.t.Fatal(err)
	}
	id := details[topic].ID
	return id[:]
}

// stepVar is where [TestStepWorker] finds its step.
const stepVar = "MILLRACE_E2E_STEP"

// TestStepWorker is a worker where another test says so, which starts this binary
// again: what the command of that name runs, and it kills itself at its step.
func TestStepWorker(t *testing.T) {
	var s step
	if err := json.Unmarshal([]byte(os.Getenv(stepVar)), &s); err != nil {
		t.Skipf("other tests start this one as a worker; %s names no step", stepVar)
	}
	dial := new(net.Dialer).DialContext
	links := map[string]*streamstest.Link{"kafka": streamstest.NewKafkaLink(t, dial), "redis": streamstest.NewRedisLink(t, dial)}
	struck := links[s.Server].Inject(s.Fault)
	go func() {
		<-struck // nothing gets through any more
		fmt.Printf("sent %s\nkilled %s\n", strings.Join(sent(links["kafka"]), " "), s)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
	os.Args = flag.Args()
	os.Exit(worker.Main(stepApp(os.Args[0], links["kafka"].Dial, links["redis"].Dial)))
}

// sent are the names of the requests that Kafka was sent.
func sent(link *streamstest.Link) (names []string) {
	for key := range int16(kmsg.MaxKey + 1) {
		if name := kmsg.NameForKey(key); link.Requests(name) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// stepApp is a worker as its command runs it, on other connections.
func stepApp(command string, kafka, redis streamstest.DialFunc) worker.App {
	if command == "projector" {
		var p compose.Projector
		return worker.App{Name: command, Blocks: p.Blocks(), Check: p.Check, Run: func(ctx context.Context, r worker.Runtime) error {
			p.Kafka.Dialer, p.Redis.Dialer = kafka, redis
			return p.Run(ctx, r)
		}}
	}
	var c compactor.Compactor
	return worker.App{Name: command, Blocks: c.Blocks(), Check: c.Check, Run: func(ctx context.Context, r worker.Runtime) error {
		c.Kafka.Dialer = kafka
		return c.Run(ctx, r)
	}}
}

// life is a worker that is to kill itself.
type life struct {
	*Worker
	step  step
	began time.Time
}

// lifeTime is how long a worker may take to reach its step.
const lifeTime = 90 * time.Second

// live starts the worker of a command, to be killed at a step.
func (o *orders) live(command string, s step, env ...string) life {
	o.t.Helper()
	self, err := os.Executable()
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		o.t.Fatal(err)
	}
	w := o.Start(WorkerSpec{
		Name: command + ", to be killed " + s.String(), Path: self, Dir: o.dir, Env: append(env, stepVar+"="+string(text)),
		Args: []string{"-test.run=^TestStepWorker$", command, "--config", "orders.yaml"},
	})
	return life{w, s, time.Now()}
}

// over says whether the worker is dead: by its own hand, at its step, and in time.
func (l life) over() bool {
	l.t.Helper()
	select {
	case <-l.gone:
	default:
		if time.Since(l.began) > lifeTime {
			l.t.Fatalf("%s: it lives after %s", l.name, lifeTime)
		}
		return false
	}
	status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGKILL || !strings.Contains(l.Log(), "killed "+l.step.String()+"\n") {
		l.t.Fatalf("%s: it ended before, with %v", l.name, l.cmd.ProcessState)
	}
	return true
}

// sent are the names of the requests that the worker has sent to Kafka.
func (l life) sent() []string {
	for line := range strings.Lines(l.Log()) {
		if names, ok := strings.CutPrefix(line, "sent "); ok {
			return strings.Fields(names)
		}
	}
	return nil
}

// die has workers of so many names die, one after the other, at each of the steps.
// It returns their lives.
func (o *orders) die(command string, names int, steps []step) []life {
	o.t.Helper()
	var all []life
	now := make([]life, names)
	Poll(o.t, 10*time.Minute, func() (bool, string) {
		living := 0
		for n := range now {
			if now[n].Worker != nil && !now[n].over() {
				living++
				continue
			}
			now[n] = life{}
			if len(all) < len(steps) {
				now[n] = o.live(command, steps[len(all)], "INSTANCE="+itoa(n))
				all = append(all, now[n])
				living++
			}
		}
		return living == 0, fmt.Sprintf("%d of %d workers were started, and %d live", len(all), len(steps), living)
	})
	return all
}
