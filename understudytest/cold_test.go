package understudytest_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/understudytest"
)

// coldVariable has this binary print how long the first start in it took, and end.
const coldVariable = "COLD_START_OF"

func TestMain(m *testing.M) {
	if way := os.Getenv(coldVariable); way != "" {
		began := time.Now()
		s, err := understudytest.Open(ways[way]...)
		spent := time.Since(began)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		s.Close()
		fmt.Println(spent)
		return
	}
	for _, name := range []string{"UNDERSTUDY_CONTROL", "UNDERSTUDY_CONTROL_TOKEN"} {
		if err := os.Unsetenv(name); err != nil { // these tests start servers
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// BenchmarkColdStart reports the first start in a process, which pays for what later ones
// find ready.
func BenchmarkColdStart(b *testing.B) {
	for way := range ways {
		b.Run(way, func(b *testing.B) {
			var all time.Duration
			for range b.N {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), coldVariable+"="+way)
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				spent, err := time.ParseDuration(string(out[:len(out)-1]))
				if err != nil {
					b.Fatal(err)
				}
				all += spent
			}
			b.ReportMetric(float64(all.Nanoseconds())/float64(b.N), "ns/start")
		})
	}
}
