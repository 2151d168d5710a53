package main

import (
	"fmt"
	"io"
	"strings"
)

const head = `<!-- Written by internal/refgen from the comments of the configuration structs. Change them and run: go generate ./internal/refgen -->

# Configuration

One YAML file configures all workers. Each reads the shared blocks and its own and skips the blocks of the others; keys that nobody knows are errors. ` +
	"`--check`" + ` names everything that is wrong, with line and column.

| type | is written |
|---|---|
| text | as it is; in quotes where YAML would see something else in it |
| duration | with its unit: ` + "`500ms`, `30s`, `5m`, `1h30m`" + ` |
| size | with its suffix: ` + "`256KiB`, `64MiB`, `1GiB`" + ` |
| secret | as a text; printed as ` + "`[REDACTED]`" + ` everywhere |

In every value, ` + "`${VAR}`" + ` is the environment variable, which must be set; ` + "`${VAR:-default}`" + ` has a default for one that is not set or empty; ` +
	"`${file:/run/secrets/x}`" + ` is the content of a file, which no message shows, without the newline at its end; ` + "`$${`" + ` is a literal ` + "`${`" + `. Between brackets, quote them. A default ends at the first ` + "`}`" + `, and holds no braces.

Relative paths, of ` + "`schemas.folder`" + ` and of ` + "`${file:…}`" + `, begin where the command is started, not at the configuration.

A setting of ` + "`0`, `0s` or `\"\"`" + ` is as one that is left out, and has its default.

Anchors, aliases, merge keys and tags of YAML are refused.
`

// writePage writes the whole page.
func writePage(w io.Writer, root string) error {
	var b strings.Builder
	b.WriteString(head)
	for _, block := range blocks() {
		s, err := readSection(root, block)
		if err != nil {
			return err
		}
		s.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", s.name, s.intro)
	if s.named {
		fmt.Fprintf(b, "Below `%s:` stands one block for each name.\n\n", s.name)
	}
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, k := range s.keys {
		value := k.standard
		if value != "–" && value != "none" && value != "required" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.name, k.typ, value, strings.ReplaceAll(k.meaning, "|", `\|`))
	}
}
