package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// process is read through /proc, which only Linux has.
type process struct{ pid int }

// cpu is the time that all threads of the process have run.
func (p process) cpu() time.Duration {
	folder := fmt.Sprintf("/proc/%d/task", p.pid)
	threads, _ := os.ReadDir(folder)
	var total int64
	for _, thread := range threads {
		content, err := os.ReadFile(folder + "/" + thread.Name() + "/schedstat")
		if err != nil {
			continue // The thread has ended.
		}
		ran, _ := strconv.ParseInt(string(bytes.SplitN(content, []byte(" "), 2)[0]), 10, 64)
		total += ran
	}
	return time.Duration(total)
}

// memory is the resident memory in bytes.
func (p process) memory() int64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes * 1024
		}
	}
	return 0
}

const (
	quietWindow = 100 * time.Millisecond
	quietBelow  = 3 * time.Millisecond
	quietWithin = 20 * time.Second
)

// quiet waits until the process uses next to no processor time: acknowledgements are read, garbage is collected.
func (p process) quiet() error {
	for end := time.Now().Add(quietWithin); time.Now().Before(end); {
		before := p.cpu()
		time.Sleep(quietWindow)
		if p.cpu()-before < quietBelow {
			return nil
		}
	}
	if p.memory() == 0 {
		return fmt.Errorf("process %d is not there", p.pid)
	}
	return nil
}

func summarize(times []time.Duration) flip {
	slices.Sort(times)
	at := func(share float64) float64 {
		return milliseconds(times[min(len(times)-1, int(share*float64(len(times))))])
	}
	return flip{Median: at(0.5), P99: at(0.99), Last: milliseconds(times[len(times)-1])}
}

func milliseconds(length time.Duration) float64 { return float64(length) / float64(time.Millisecond) }
func microseconds(length time.Duration) float64 { return float64(length) / float64(time.Microsecond) }
