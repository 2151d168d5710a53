package main

// block is a top-level block of the configuration and the struct that holds it.
type block struct {
	name   string
	folder string // of the package, from the root of the module
	typ    string
	// named says that the block is a mapping from names to such structs.
	named bool
	// rules is what an entry in the rule language is called.
	rules string
}

// blocks are those of the page, in its order.
func blocks() []block {
	return []block{
		{name: "kafka", folder: "streams/kafka", typ: "Config"},
		{name: "redis", folder: "streams/projection", typ: "RedisConfig"},
		{name: "schemas", folder: "streams/avro", typ: "Config"},
		{name: "topics", folder: "streams/kafka", typ: "TopicConfig", named: true},
		{name: "admin", folder: "streams/worker", typ: "AdminConfig"},
		{name: "projector", folder: "streams/projection", typ: "Config", rules: "view"},
		{name: "compactor", folder: "streams/compaction", typ: "Config", rules: "fold"},
	}
}
