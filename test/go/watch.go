package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
)

const (
	watchMethod      = "/examples.manager.v1.Manager/Watch"
	tickMilliseconds = 20
)

// watch is a stream of ticks and what came on it.
type watch struct {
	mutex    sync.Mutex
	ticks    int
	versions []string
	ended    string
}

func beginWatch(conn *grpc.ClientConn, headers [][]string) *watch {
	w := &watch{versions: []string{}}
	go func() {
		err := w.read(conn, headers)
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.ended = "OK"
		if !errors.Is(err, io.EOF) {
			w.ended = codeName(err) + ": " + err.Error()
		}
	}()
	return w
}

// read returns io.EOF where the server ended the stream with OK.
func (w *watch) read(conn *grpc.ClientConn, headers [][]string) error {
	ctx, cancel := context.WithCancel(withHeaders(context.Background(), headers))
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, watchMethod)
	if err != nil {
		return err
	}
	request := watchRequest(tickMilliseconds)
	if err := stream.SendMsg(&request); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		var tick []byte
		if err := stream.RecvMsg(&tick); err != nil {
			return err
		}
		w.add(versionIn(tick))
	}
}

func (w *watch) add(version string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.ticks++
	for _, known := range w.versions {
		if known == version {
			return
		}
	}
	w.versions = append(w.versions, version)
}

func (w *watch) report() map[string]any {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	report := map[string]any{"ticks": w.ticks, "versions": w.versions}
	if w.ended != "" {
		report["ended"] = w.ended
	}
	return report
}
