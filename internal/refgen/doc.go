// Command refgen writes docs/reference/configuration.md from the configuration
// structs: their fields are the keys, and their comments are the text. So a
// setting is documented where it is declared, once.
//
// It reads source, and imports nothing of ours: a page must not depend on what
// happens to be linked. The tests ask the structs themselves whether the page
// names every setting with the default that it has.
//
// A comment of a field begins with the field's name, and names the default in a
// sentence that begins with "Default", or says "Required.".
package main

//go:generate go run . -root ../.. -o ../../docs/reference/configuration.md
