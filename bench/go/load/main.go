// The load of the benchmark: opens discovery streams as Envoys would, acknowledges everything, and notes when each
// stream has a flip. The HTTP/2 is framed by hand, one stream on each connection, so that the load takes little time
// from the server that is measured. Orders come as JSON on standard input; figures go to standard output.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// order is one run against one server.
type order struct {
	// Target is the server's address for discovery; Control takes POST /flip.
	Target  string `json:"target"`
	Control string `json:"control"`
	// Pid is the server's process: its processor time and memory are read.
	Pid int `json:"pid"`
	// Streams are opened at once. Flips are measured, after Warm ones that are not.
	Streams int `json:"streams"`
	Flips   int `json:"flips"`
	Warm    int `json:"warm"`
	// Endpoints and Routes are the names that streams subscribe to; clusters and listeners are all wanted.
	Endpoints []string `json:"endpoints"`
	Routes    []string `json:"routes"`
}

// flip is when the streams had a flip, in milliseconds from before it was ordered.
type flip struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Last   float64 `json:"last"`
}

// figures are what one run measured.
type figures struct {
	StormMs         float64 `json:"stormMs"`
	StormCPUPerPush float64 `json:"stormCpuUsPerStream"`
	MemoryPerStream float64 `json:"memoryKbPerStream"`
	Flips           []flip  `json:"flips"`
	CPUPerPush      float64 `json:"cpuUsPerPush"`
	ResponseBytes   []int   `json:"responseBytes"`
	FlipBytes       int     `json:"flipBytes"`
	Responses       int64   `json:"responses"`
	LoadCPUPerPush  float64 `json:"loadCpuUsPerPush"`
}

const flipWithin = time.Minute

func main() {
	var asked order
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail(err)
	}
	measured, err := run(asked)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(measured); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(asked order) (*figures, error) {
	server := process{asked.Pid}
	if err := server.quiet(); err != nil {
		return nil, err
	}
	measured := &figures{}
	fleet := newFleet(asked)
	if err := measured.storm(asked, fleet, server); err != nil {
		return nil, err
	}
	for range asked.Warm {
		if _, err := flipOnce(asked, fleet, server); err != nil {
			return nil, err
		}
	}
	before, own := server.cpu(), process{os.Getpid()}
	ownBefore := own.cpu()
	for range asked.Flips {
		times, err := flipOnce(asked, fleet, server)
		if err != nil {
			return nil, err
		}
		measured.Flips = append(measured.Flips, summarize(times))
	}
	pushes := float64(asked.Streams * asked.Flips)
	measured.CPUPerPush = microseconds(server.cpu()-before) / pushes
	measured.LoadCPUPerPush = microseconds(own.cpu()-ownBefore) / pushes
	measured.FlipBytes = fleet.streams[0].sizes[routes]
	measured.Responses = fleet.responses.Load()
	return measured, nil
}

// storm connects all streams at once and waits until each has everything.
func (f *figures) storm(asked order, fleet *fleet, server process) error {
	memory, cpu := server.memory(), server.cpu()
	began := time.Now()
	if err := fleet.connect(); err != nil {
		return err
	}
	f.StormMs = milliseconds(time.Since(began))
	if err := server.quiet(); err != nil {
		return err
	}
	streams := float64(asked.Streams)
	f.StormCPUPerPush = microseconds(server.cpu()-cpu) / streams
	f.MemoryPerStream = float64(server.memory()-memory) / 1024 / streams
	f.ResponseBytes = fleet.streams[0].sizes[:]
	return nil
}

// flipOnce orders a flip and waits until every stream has it and the server has nothing left to do.
func flipOnce(asked order, fleet *fleet, server process) ([]time.Duration, error) {
	arrived := fleet.expect()
	response, err := http.Post(asked.Control+"/flip", "", nil)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode >= 300 {
		return nil, fmt.Errorf("the flip was answered with %s", response.Status)
	}
	select {
	case <-arrived:
	case err := <-fleet.failed:
		return nil, err
	case <-time.After(flipWithin):
		return nil, fmt.Errorf("%d of %d streams had no flip within %v", fleet.missing.Load(), asked.Streams, flipWithin)
	}
	if err := fleet.agree(); err != nil {
		return nil, err
	}
	return fleet.times(), server.quiet()
}
