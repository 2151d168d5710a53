// Package composecheck finds mistakes in docker-compose.yml and Dockerfile where no
// container engine runs: it loads the file as docker compose does, and holds it
// against rules. A rule returns its findings, one sentence each; nothing means
// that the project keeps it. The tests hold the files of this repository against
// every rule, and break each rule once to see that it notices.
//
// The binaries that are asked for their flags, and that check the configurations,
// are built by the command of the Dockerfile from what .dockerignore leaves.
package composecheck
