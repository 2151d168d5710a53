package streamstest

import (
	"context"
	"fmt"
	"net"

	"github.com/alicebob/miniredis/v2"
)

// Snapshot is the state of a Redis at one moment. It is immutable.
type Snapshot struct{ keys map[string]value }

// value is what one key holds: a text, the fields and values of a hash, the
// members of a set or list, members and scores.
type value struct {
	kind  string
	parts []string
}

func (v value) hash() map[string]string {
	m := make(map[string]string, len(v.parts)/2)
	for i := 0; i+1 < len(v.parts); i += 2 {
		m[v.parts[i]] = v.parts[i+1]
	}
	return m
}

// Keys is the number of keys.
func (s *Snapshot) Keys() int { return len(s.keys) }

// Hash returns the fields of a hash; none where the key does not exist.
func (s *Snapshot) Hash(key string) map[string]string { return s.keys[key].hash() }

// dump reads every key in one script, so that all are of one moment.
const dump = `
local read = {
  string = {'GET'}, hash = {'HGETALL'}, set = {'SMEMBERS'},
  zset = {'ZRANGE', 0, -1, 'WITHSCORES'}, list = {'LRANGE', 0, -1},
}
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key)['ok']
  local how = read[kind]
  local value = {}
  if how then
    value = redis.call(how[1], key, unpack(how, 2))
  end
  if kind == 'string' then value = {value} end
  all[#all + 1] = {key, kind, value}
end
return all`

// Snapshot copies the state: strings, hashes, sets, sorted sets and lists,
// without expiry times. Rows and positions in it are of one moment.
func (r *Redis) Snapshot() *Snapshot {
	r.t.Helper()
	r.ours("reading a snapshot of")
	m := r.server()
	if m == nil {
		r.t.Fatal("streamstest: reading a snapshot of Redis: it is stopped")
	}
	client := newClient(func(context.Context, string, string) (net.Conn, error) { return m.Dial() })
	defer client.Close()
	all, err := client.Eval(context.Background(), dump, nil).Slice()
	if err != nil {
		r.t.Fatalf("streamstest: reading a snapshot of Redis: %v", err)
	}
	s := &Snapshot{keys: make(map[string]value, len(all))}
	for _, entry := range all {
		e := entry.([]any)
		v := value{kind: e[1].(string)}
		for _, part := range e[2].([]any) {
			v.parts = append(v.parts, part.(string))
		}
		s.keys[e[0].(string)] = v
	}
	return s
}

// spare is a database that no client uses.
const spare = 1 << 20

// load puts the state in the place of the server's. A client sees the one or
// the other, never a part.
func (s *Snapshot) load(m *miniredis.Miniredis) error {
	db := m.DB(spare)
	db.FlushDB()
	if s != nil {
		for key, v := range s.keys {
			if err := v.store(db, key); err != nil {
				return fmt.Errorf("key %q: %w", key, err)
			}
		}
	}
	m.SwapDB(0, spare)
	m.DB(spare).FlushDB()
	return nil
}

func (v value) store(db *miniredis.RedisDB, key string) error {
	var err error
	switch v.kind {
	case "string":
		err = db.Set(key, v.parts[0])
	case "hash":
		db.HSet(key, v.parts...)
	case "set":
		_, err = db.SetAdd(key, v.parts...)
	case "list":
		_, err = db.Push(key, v.parts...)
	case "zset":
		for i := 0; i+1 < len(v.parts) && err == nil; i += 2 {
			var score float64
			if _, err = fmt.Sscan(v.parts[i+1], &score); err == nil {
				_, err = db.ZAdd(key, score, v.parts[i])
			}
		}
	default:
		err = fmt.Errorf("a snapshot cannot hold a %s", v.kind)
	}
	return err
}
