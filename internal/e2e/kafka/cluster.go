// Package kafka runs Apache Kafka on this machine, without a container:
// its libraries come from Maven, its nodes are processes that outlive the
// caller. A cluster lives in one folder, which also says which ports it has, so
// several can run side by side.
//
// [Cluster.Start] is idempotent: a node that runs is left alone, one that was
// killed goes on with the data that it had. It returns when every node is a
// member and answers.
package kafka

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // the template
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/millrace/millrace/internal/e2e/daemon"
)

//go:embed node.properties.tmpl
var properties string

var nodeTemplate = template.Must(template.New("node.properties").Option("missingkey=error").Parse(properties))

// Cluster is a Kafka cluster of one or three nodes, each broker and controller.
type Cluster struct {
	// Dir holds everything: libraries, settings, data, logs, process IDs.
	Dir string
	// Libs is the folder of Kafka's libraries, by default libs in Dir. Clusters
	// may share it.
	Libs string
	// Nodes is how many nodes there are.
	Nodes int
	// Port is that of the first broker. Broker n has Port + 2(n-1), and its
	// controller the port behind it.
	Port int
	// LongLived has Java compile as well as it can: a broker that has warmed up is
	// faster, a young one is slower.
	LongLived bool
}

// Brokers returns the addresses of the brokers.
func (c Cluster) Brokers() []string {
	var addrs []string
	for n := range c.Nodes {
		addrs = append(addrs, c.addr(2*n))
	}
	return addrs
}

func (c Cluster) addr(offset int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port+offset))
}

// Start starts the nodes that do not run and waits until all answer.
func (c Cluster) Start(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fmt.Errorf("starting Kafka: %w", err)
	}
	if err := install(ctx, c.libs()); err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return fmt.Errorf("starting Kafka: %w", err)
	}
	ended := make(chan int, c.Nodes)
	for n := 1; n <= c.Nodes; n++ {
		if err := c.startNode(ctx, n, id, ended); err != nil {
			return fmt.Errorf("starting Kafka node %d: %w", n, err)
		}
	}
	return c.await(ctx, id, ended)
}

// await waits until all nodes answer, or one of those just started has ended.
func (c Cluster) await(ctx context.Context, id string, ended <-chan int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 90*time.Second, errors.New("not ready after 90 s"))
	defer cancel()
	var err error
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		err = c.waitReady(ctx, id)
	}()
	select {
	case <-ready:
		if err != nil {
			return fmt.Errorf("starting Kafka: %w; the log of its first node ends with\n%s", err, c.Node(1).LogTail(5))
		}
		return nil
	case n := <-ended:
		cancel()
		<-ready
		return fmt.Errorf("starting Kafka: node %d ended; its log ends with\n%s", n, c.Node(n).LogTail(20))
	}
}

// Node returns the process of a node, counted from 1.
func (c Cluster) Node(n int) daemon.Daemon {
	return daemon.Daemon{Dir: c.Dir, Name: "kafka-" + strconv.Itoa(n)}
}

// Stop stops all nodes, together: a node that leaves first waits for the others.
func (c Cluster) Stop() error {
	errs := make(chan error, c.Nodes)
	for n := 1; n <= c.Nodes; n++ {
		go func() { errs <- c.Node(n).Stop(15 * time.Second) }()
	}
	var all []error
	for range c.Nodes {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func (c Cluster) libs() string {
	if c.Libs != "" {
		return c.Libs
	}
	return filepath.Join(c.Dir, "libs")
}

// startNode starts a node that does not run, formatting its folder the first
// time. When it ends, its number is sent to ended.
func (c Cluster) startNode(ctx context.Context, n int, id string, ended chan<- int) error {
	node := c.Node(n)
	if pid, err := node.PID(); pid != 0 || err != nil {
		return err
	}
	file, err := c.writeProperties(n)
	if err != nil {
		return err
	}
	if err := c.format(ctx, n, id, file); err != nil {
		return err
	}
	options := []string{"-Xms256m", "-Xmx1g"}
	if !c.LongLived {
		options = append(options, quickStart)
	}
	args := append(c.java(options...), "kafka.Kafka", file)
	gone, err := node.Start("java", args...)
	if err != nil {
		return err
	}
	go func() {
		<-gone
		ended <- n
	}()
	return nil
}

// quickStart keeps Java from spending on compilation what only a long life
// brings in again.
const quickStart = "-XX:TieredStopAtLevel=1"

// java returns the arguments of every Java program of Kafka, up to its class.
func (c Cluster) java(options ...string) []string {
	return append(options, "-XX:+UseSerialGC",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(c.libs(), "*"))
}

func (c Cluster) logDir(n int) string { return filepath.Join(c.Dir, "data", strconv.Itoa(n)) }

func (c Cluster) writeProperties(n int) (string, error) {
	logDir, err := filepath.Abs(c.logDir(n))
	if err != nil {
		return "", err
	}
	var voters []string
	for i := range c.Nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, c.addr(2*i+1)))
	}
	var text bytes.Buffer
	err = nodeTemplate.Execute(&text, map[string]any{
		"ID": n, "Voters": strings.Join(voters, ","), "LogDir": logDir,
		"Broker": c.addr(2 * (n - 1)), "Controller": c.addr(2*(n-1) + 1),
		"Replicas": c.Nodes, "InSync": (c.Nodes + 1) / 2,
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.Dir, fmt.Sprintf("kafka-%d.properties", n))
	return file, os.WriteFile(file, text.Bytes(), 0o644)
}

// id returns the ID of the cluster, chosen when it first starts. Two clusters
// never share one: a foreign one on the same ports is found out.
func (c Cluster) id() (string, error) {
	file := filepath.Join(c.Dir, "data", "cluster.id")
	b, err := os.ReadFile(file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(b), err
	}
	b = make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f        // so that the text does not begin with a dash
	id := base64.RawURLEncoding.EncodeToString(b)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return id, os.WriteFile(file, []byte(id), 0o644)
}

func (c Cluster) format(ctx context.Context, n int, id, file string) error {
	if _, err := os.Stat(filepath.Join(c.logDir(n), "meta.properties")); err == nil {
		return nil
	}
	args := append(c.java(quickStart), "kafka.tools.StorageTool", "format", "-t", id, "-c", file)
	if out, err := exec.CommandContext(ctx, "java", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("formatting its folder: %w\n%s", err, out)
	}
	return nil
}
