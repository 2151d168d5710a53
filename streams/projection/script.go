package projection

import (
	_ "embed" // the scripts

	"github.com/redis/go-redis/v9"
)

// The scripts, each of which says what its keys and arguments are.
var (
	//go:embed apply.lua
	applySource string
	//go:embed assign.lua
	assignSource string
	//go:embed confirm.lua
	confirmSource string
	//go:embed define.lua
	defineSource string
	//go:embed mark.lua
	markSource string
	//go:embed raise.lua
	raiseSource string
)

// scripts are what a [Store] runs.
type scripts struct {
	apply, assign, confirm, define, mark, raise *redis.Script
}

func newScripts() scripts {
	return scripts{
		apply:   redis.NewScript(applySource),
		assign:  redis.NewScript(assignSource),
		confirm: redis.NewScript(confirmSource),
		define:  redis.NewScript(defineSource),
		mark:    redis.NewScript(markSource),
		raise:   redis.NewScript(raiseSource),
	}
}
