package projection

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// ground is where a lab stands: what is different between virtual services and
// real ones.
type ground struct {
	// topic and prefix are those of the lab; groups is the prefix of its groups.
	topic, prefix, groups string
	// patience is how long a story waits before it says that something does not
	// come true.
	patience time.Duration
	// assigner is where a worker gets its partitions from. A group does not ask
	// for the list.
	assigner func(cfg kafka.Config, group string, ps []streams.Partition) kafka.Assigner
	// dump copies what the lab has in Redis, and restore puts it back as
	// a failover does: at once, and connections break. Where nothing was copied
	// everything is gone.
	dump    func(l *lab) any
	restore func(l *lab, dump any)
}

// virtualGround is in this process. Time is virtual, and partitions are assigned
// directly, because joining a group freezes a bubble.
func virtualGround() ground {
	return ground{
		topic: "orders", prefix: DefaultPrefix, patience: time.Minute,
		assigner: func(_ kafka.Config, _ string, ps []streams.Partition) kafka.Assigner { return kafka.NewDirect(ps...) },
		dump:     func(l *lab) any { return l.Redis.Snapshot() },
		restore: func(l *lab, dump any) {
			s, _ := dump.(*streamstest.Snapshot)
			l.Redis.Restart(s)
		},
	}
}

// realSession is short, so that the partitions of a frozen worker are soon given
// to others.
const realSession = 3 * time.Second

// realGround is on the services that the environment names, where others may be
// too. Time is real, and partitions are assigned by the consumer group.
func realGround(t *testing.T) (ground, streamstest.Servers) {
	t.Helper()
	brokers, addr := os.Getenv("MILLRACE_KAFKA"), os.Getenv("MILLRACE_REDIS")
	if brokers == "" || addr == "" {
		t.Skip("needs real Kafka and real Redis, and MILLRACE_KAFKA or MILLRACE_REDIS is not set; make services starts both")
	}
	id := fmt.Sprintf("orders-%x", rand.Uint64())
	g := ground{
		topic: id, prefix: id + ":", groups: id, patience: 20 * time.Second, dump: dumpKeys, restore: restoreKeys,
		assigner: func(cfg kafka.Config, group string, ps []streams.Partition) kafka.Assigner {
			return kafka.NewGroup(cfg, kafka.GroupOptions{Group: group, Topics: []string{ps[0].Topic}, SessionTimeout: realSession})
		},
	}
	return g, streamstest.Servers{Brokers: strings.Split(brokers, ","), Redis: addr}
}

// newRealLab returns a lab on real services, or skips the test.
func newRealLab(t *testing.T, views string) *lab {
	t.Helper()
	g, servers := realGround(t)
	l := g.lab(t, streamstest.Connect(t, servers, streamstest.Options{Topics: map[string]int32{g.topic: partitions}}), views)
	t.Cleanup(l.clean)
	return l
}

// clean removes what a lab left in real services, but for its topic.
func (l *lab) clean() {
	ctx := context.Background()
	restoreKeys(l, nil)
	groups, err := l.Kafka.Admin().ListGroups(ctx)
	for _, g := range groups.Groups() {
		if err == nil && strings.HasPrefix(g, l.groups) {
			_, err = l.Kafka.Admin().DeleteGroup(ctx, g)
			for end := time.Now().Add(time.Minute); errors.Is(err, kerr.NonEmptyGroup) && time.Now().Before(end); {
				time.Sleep(time.Second) // a worker that was killed is a member until its session ends
				_, err = l.Kafka.Admin().DeleteGroup(ctx, g)
			}
		}
	}
	if err != nil {
		l.t.Errorf("deleting the groups of the test: %v", err)
	}
}

// dumpKeys copies the keys of the lab, in one moment.
func dumpKeys(l *lab) any {
	l.t.Helper()
	all, err := l.Redis.Client().Eval(l.t.Context(), `
		local all = {}
		for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
			all[#all + 1] = key
			all[#all + 1] = redis.call('DUMP', key)
		end
		return all`, nil, globOf(l.prefix)+"*").StringSlice()
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// restoreKeys puts a copy in the place of what is there, in one moment, and cuts
// the connections of all workers.
func restoreKeys(l *lab, dump any) {
	l.t.Helper()
	args := []any{globOf(l.prefix) + "*"}
	all, _ := dump.([]string)
	for _, a := range all {
		args = append(args, a)
	}
	err := l.Redis.Client().Eval(context.Background(), `
		for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end
		for i = 2, #ARGV, 2 do redis.call('RESTORE', ARGV[i], 0, ARGV[i + 1]) end
		return 1`, nil, args...).Err()
	if err != nil {
		l.t.Error(err)
	}
	for _, w := range l.workers {
		w.redis.Cut()
	}
}

// grounds tell a story in a lab of their own, by name.
var grounds = []struct {
	name string
	tell func(t *testing.T, views string, story func(l *lab))
}{
	{"virtual", func(t *testing.T, views string, story func(l *lab)) {
		synctest.Test(t, func(t *testing.T) { story(newLab(t, views)) })
	}},
	{"real", func(t *testing.T, views string, story func(l *lab)) { story(newRealLab(t, views)) }},
}

// onGrounds tells a story on virtual services, and on real ones where the
// environment names them.
func onGrounds(t *testing.T, views string, story func(l *lab)) {
	t.Helper()
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) { g.tell(t, views, story) })
	}
}

// bothWays is withAndWithout on each ground, for a view of its own.
func bothWays(t *testing.T, story func(l *lab, defended bool) (right bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onGrounds(t, oneView, func(l *lab) {
				if story(l, defended) != defended {
					l.t.Errorf("right: %v\n%s", !defended, l.logs)
				}
			})
		})
	}
}

// withAndWithout tells a story twice: with the defence, where it must end well,
// and without it, where it must not, or the story proves nothing.
func withAndWithout(t *testing.T, story func(t *testing.T, defended bool) (right bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if story(t, defended) != defended {
					t.Errorf("rows right: %v", !defended)
				}
			})
		})
	}
}

// lacking makes a worker whose script lacks those checks.
func lacking(checks ...string) func(*Projector) {
	source := applySource
	for _, c := range checks {
		source = regexp.MustCompile(`(?s)--<`+c+`>\n.*?--</`+c+`>`).ReplaceAllString(source, "")
	}
	return withScript(source)
}

// withScript makes a worker that applies batches by that script.
func withScript(source string) func(*Projector) {
	return func(p *Projector) {
		p.newStore = func(client redis.UniversalClient, id ViewID) *Store {
			s := NewStore(client, id)
			s.scripts.apply = redis.NewScript(source)
			return s
		}
	}
}
