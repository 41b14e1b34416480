// The load of the benchmark of fleets: thousands of watchers of a controller, or thousands of delegates of managers, each
// on a connection of its own, that come back by themselves as the real ones do. Orders come as JSON, one on each line of
// standard input; each has one line of answer on standard output. It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// order is one line of input.
type order struct {
	// Do is `open`, `registered` or `informed`.
	Do string `json:"do"`
	// Open: who they are, whom they talk to, how many, and the milliseconds over which they come.
	Role    string `json:"role"`
	Target  string `json:"target"`
	Service string `json:"service"`
	Version string `json:"version"`
	Count   int    `json:"count"`
	Tenants int    `json:"tenants"`
	Spread  int    `json:"spreadMs"`
	// Registered: waits until all are, AtLeast so many of them after Since. Informed: until all were told of Version after
	// Since. Since is in milliseconds since 1970.
	Since   float64 `json:"since"`
	AtLeast int     `json:"atLeast"`
	Within  int     `json:"withinMs"`
}

// answer is one line of output. Times are milliseconds after what was asked for.
type answer struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Last   float64 `json:"last"`
	// Times that anybody was asked to come back, and attempts that failed, since the program began.
	ComeBacks int64 `json:"comeBacks"`
	Failures  int64 `json:"failures"`
	// Bytes of the last message that told of a version.
	Bytes int64  `json:"bytes"`
	Error string `json:"error,omitempty"`
}

const lookEvery = 5 * time.Millisecond

func main() {
	var all *fleet
	input := bufio.NewScanner(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var asked order
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := output.Encode(obey(&all, asked)); err != nil {
			os.Exit(1)
		}
	}
}

func obey(all **fleet, asked order) answer {
	if asked.Do == "open" {
		opened, err := open(asked)
		if err != nil {
			return answer{Error: err.Error()}
		}
		*all = opened
		return answer{}
	}
	if *all == nil {
		return answer{Error: "nothing is open"}
	}
	switch asked.Do {
	case "registered":
		return (*all).await(asked, (*all).registered)
	case "informed":
		return (*all).await(asked, (*all).informed)
	default:
		return answer{Error: fmt.Sprintf("do must be open, registered or informed, not %q", asked.Do)}
	}
}
