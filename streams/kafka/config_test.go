package kafka

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

func TestConfigDefaults(t *testing.T) {
	c := Config{Brokers: []string{"127.0.0.1:9092"}}.WithDefaults()
	if c.ClientID != "millrace" || c.Prefix != "millrace" || c.InstanceID != "" {
		t.Errorf("defaults = %+v", c)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	topic := TopicConfig{}.WithDefaults()
	if topic.Partitioner != PartitionerMurmur2 || topic.Validate() != nil {
		t.Errorf("defaults of a topic = %+v, %v", topic, topic.Validate())
	}
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		config      interface{ Validate() error }
		field, want string
	}{
		{Config{}.WithDefaults(), "brokers", "brokers is missing; name at least one, as in brokers: [127.0.0.1:9092]"},
		{Config{Brokers: []string{"a:1", "b"}}.WithDefaults(), "brokers[1]", `"b" is not host:port: missing port in address`},
		{Config{Brokers: []string{"a:1, b:2,c"}}.WithDefaults(), "brokers[0]", `"c" is not host:port: missing port in address`},
		{Config{Brokers: []string{":9092"}}.WithDefaults(), "brokers[0]", `":9092" is not host:port: the host is missing`},
		{Config{Brokers: []string{"a:x"}}.WithDefaults(), "brokers[0]", `"a:x" is not host:port: port "x" is not a number from 1 to 65535`},
		{Config{Brokers: []string{"[::1]:9092"}, Prefix: "a b"}.WithDefaults(), "prefix", `prefix "a b" may hold letters, digits, '.', '_' and '-' only`},
		{TopicConfig{Partitioner: "crc32"}, "partitioner", `partitioner "crc32" is neither murmur2 nor any`},
	}
	for _, tt := range tests {
		err := tt.config.Validate()
		var fe *streams.FieldError
		if !errors.As(err, &fe) || fe.Path != tt.field || fe.Error() != tt.want {
			t.Errorf("Validate(%+v) = %v, want %s: %s", tt.config, err, tt.field, tt.want)
		}
	}
}

func TestBrokersOfOneVariable(t *testing.T) {
	c := Config{Brokers: []string{"a:1, b:2", "c:3"}}
	client, err := kgo.NewClient(c.options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got := client.OptValue(kgo.SeedBrokers); !slices.Equal(got.([]string), []string{"a:1", "b:2", "c:3"}) {
		t.Errorf("the client begins at %v", got)
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	for tries, want := range map[int]time.Duration{0: 10 * time.Millisecond, 3: 40 * time.Millisecond, 1 << 30: maxBackoff} {
		if got := backoff(tries); got > want || got <= want*3/4-1 {
			t.Errorf("wait before try %d is %v, want about %v", tries, got, want)
		}
	}
}
