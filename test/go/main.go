// A gRPC client that takes its routes over xDS (grpc-go), as a process: commands come in on standard input, one JSON
// object per line, and answers go out. test/support/proxyless/protocol.ts says what each command means; the client in
// Node speaks the same. Its bootstrap is in GRPC_XDS_BOOTSTRAP_CONFIG, its target in PROXYLESS_TARGET.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/xds" // Registers the xds resolver and its load balancers.
)

type command struct {
	ID       int        `json:"id"`
	Kind     string     `json:"kind"`
	Name     string     `json:"name"`
	Headers  [][]string `json:"headers"`
	Count    int        `json:"count"`
	Parallel int        `json:"parallel"`
}

type answer struct {
	ID     int    `json:"id"`
	Result any    `json:"result,omitempty"`
	Fault  string `json:"fault,omitempty"`
}

// client obeys commands over one channel.
type client struct {
	conn    *grpc.ClientConn
	mutex   sync.Mutex
	loads   map[string]*load
	streams map[string]*watch
}

func main() {
	conn, err := grpc.NewClient(
		os.Getenv("PROXYLESS_TARGET"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	c := &client{conn: conn, loads: map[string]*load{}, streams: map[string]*watch{}}
	output := json.NewEncoder(os.Stdout)
	var outputMutex sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	// Ends with its parent: a closed standard input means that nobody asks any more.
	for lines.Scan() {
		var asked command
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		c.prepare(asked)
		go func() {
			reply := answer{ID: asked.ID}
			result, err := c.obey(asked)
			if err != nil {
				reply.Fault = err.Error()
			}
			reply.Result = result
			outputMutex.Lock()
			defer outputMutex.Unlock()
			if err := output.Encode(reply); err != nil {
				os.Exit(1)
			}
		}()
	}
}

// prepare makes what later commands name, in the order of the commands.
func (c *client) prepare(asked command) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch asked.Kind {
	case "begin":
		c.loads[asked.Name] = beginLoad(c.conn, asked.Headers)
	case "watch":
		c.streams[asked.Name] = beginWatch(c.conn, asked.Headers)
	}
}

func (c *client) obey(asked command) (any, error) {
	c.mutex.Lock()
	load, stream := c.loads[asked.Name], c.streams[asked.Name]
	c.mutex.Unlock()
	switch asked.Kind {
	case "calls":
		return manyCalls(c.conn, asked), nil
	case "begin", "watch":
		return nil, nil
	case "made":
		if load != nil {
			return load.outcomes.total(), nil
		}
	case "finish":
		if load != nil {
			return load.finish(), nil
		}
	case "watched":
		if stream != nil {
			return stream.report(), nil
		}
	default:
		return nil, fmt.Errorf("unknown command %q", asked.Kind)
	}
	return nil, fmt.Errorf("nothing is named %q", asked.Name)
}
