package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	whoAmIMethod = "/examples.manager.v1.Manager/WhoAmI"
	callWithin   = 20 * time.Second
)

// outcomes counts how calls ended.
type outcomes struct {
	mutex  sync.Mutex
	made   int
	counts map[string]int
	order  []string
	errors []string
}

func newOutcomes() *outcomes {
	return &outcomes{counts: map[string]int{}, order: []string{}, errors: []string{}}
}

func (o *outcomes) add(outcome string, err error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.made++
	if err != nil && o.counts[outcome] == 0 {
		o.errors = append(o.errors, err.Error())
	}
	o.counts[outcome]++
	if len(o.order) == 0 || o.order[len(o.order)-1] != outcome {
		o.order = append(o.order, outcome)
	}
}

func (o *outcomes) total() int {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.made
}

func (o *outcomes) report() map[string]any {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return map[string]any{"counts": o.counts, "order": o.order, "errors": o.errors}
}

// withHeaders adds headers in their order; a name may come twice.
func withHeaders(ctx context.Context, headers [][]string) context.Context {
	for _, header := range headers {
		ctx = metadata.AppendToOutgoingContext(ctx, header[0], header[1])
	}
	return ctx
}

// whoAmI makes one call and counts its end by the version that answered, or by the name of the status.
func whoAmI(conn *grpc.ClientConn, headers [][]string, count *outcomes) {
	ctx, cancel := context.WithTimeout(withHeaders(context.Background(), headers), callWithin)
	defer cancel()
	var request, response []byte
	if err := conn.Invoke(ctx, whoAmIMethod, &request, &response); err != nil {
		count.add(codeName(err), err)
		return
	}
	count.add(versionIn(response), nil)
}

// codeName is the standard name of an error's status, for example UNAVAILABLE.
func codeName(err error) string {
	switch code := status.Code(err); code {
	case codes.Unavailable:
		return "UNAVAILABLE"
	case codes.DeadlineExceeded:
		return "DEADLINE_EXCEEDED"
	default:
		return code.String()
	}
}

func manyCalls(conn *grpc.ClientConn, asked command) map[string]any {
	count := newOutcomes()
	var left atomic.Int64
	left.Store(int64(asked.Count))
	var callers sync.WaitGroup
	for range asked.Parallel {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				whoAmI(conn, asked.Headers, count)
			}
		})
	}
	callers.Wait()
	return count.report()
}

// load makes calls one after the other until it is finished.
type load struct {
	outcomes *outcomes
	stopping atomic.Bool
	ended    chan struct{}
}

func beginLoad(conn *grpc.ClientConn, headers [][]string) *load {
	l := &load{outcomes: newOutcomes(), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for !l.stopping.Load() {
			whoAmI(conn, headers, l.outcomes)
		}
	}()
	return l
}

func (l *load) finish() map[string]any {
	l.stopping.Store(true)
	<-l.ended
	return l.outcomes.report()
}
