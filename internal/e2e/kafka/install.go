package kafka

import (
	"bytes"
	"context"
	_ "embed" // the pom
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed pom.xml
var pom []byte

// install puts Kafka's libraries into a folder, by Maven. It does nothing where
// they are there already, all of them and of this pom.
func install(ctx context.Context, libs string) error {
	mark := filepath.Join(libs, "installed.xml") // the pom, written when all else is there
	if b, err := os.ReadFile(mark); err == nil && bytes.Equal(b, pom) {
		return nil
	}
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("installing Kafka needs Java 17 and Maven: %w", err)
		}
	}
	if err := errors.Join(os.RemoveAll(libs), os.MkdirAll(libs, 0o755)); err != nil {
		return fmt.Errorf("installing Kafka: %w", err)
	}
	file := filepath.Join(libs, "pom.xml")
	if err := os.WriteFile(file, pom, 0o644); err != nil {
		return fmt.Errorf("installing Kafka: %w", err)
	}
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", file, "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+libs)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("installing Kafka by Maven: %w\n%s", err, out)
	}
	if err := os.Rename(file, mark); err != nil {
		return fmt.Errorf("installing Kafka: %w", err)
	}
	return nil
}
