package main

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"switchyard.dev/bench/go/wire"
)

const readBuffer = 16 * 1024

// stream is one proxy: one connection with one discovery stream. It asks for clusters, endpoints, listeners and
// routes, each after it has the one before, as an Envoy does.
type stream struct {
	fleet  *fleet
	number int
	conn   *wire.Conn
	// Bytes of the last response of each type.
	sizes [typeCount]int
	// The last round in which new routes came.
	round int64
	// The version of its routes, and how long they took in that round.
	version atomic.Pointer[string]
	after   atomic.Int64
}

// run ends with the connection.
func (s *stream) run() error {
	conn, err := wire.Dial(s.fleet.asked.Target, readBuffer)
	if err != nil {
		return err
	}
	defer conn.Close()
	s.conn = conn
	if err := conn.Open(requestHeaders); err != nil {
		return err
	}
	node := nodeMessage(fmt.Sprintf("gateway-%d", s.number))
	if err := s.send(request{node: node, kind: clusters}); err != nil {
		return err
	}
	end, err := conn.Receive(s.respond)
	if err != nil {
		return err
	}
	return fmt.Errorf("the server ended the stream: %v", end.Fields)
}

// respond notes what a response brings, acknowledges it, and asks for the next type.
func (s *stream) respond(message []byte) error {
	got, err := readResponse(message)
	if err != nil {
		return err
	}
	s.fleet.responses.Add(1)
	first := s.sizes[got.kind] == 0
	s.sizes[got.kind] = len(message)
	if got.kind == routes {
		if known := s.version.Load(); known == nil || !bytes.Equal([]byte(*known), got.version) {
			version := string(got.version)
			s.version.Store(&version)
			s.fleet.reached(s)
		}
	}
	if err := s.send(request{kind: got.kind, version: got.version, nonce: got.nonce, names: s.names(got.kind)}); err != nil {
		return err
	}
	if next := got.kind + 1; first && next < typeCount {
		return s.send(request{kind: next, names: s.names(next)})
	}
	return nil
}

// names are what it subscribes to; nothing means everything.
func (s *stream) names(kind int) []string {
	switch kind {
	case endpoints:
		return s.fleet.asked.Endpoints
	case routes:
		return s.fleet.asked.Routes
	default:
		return nil
	}
}

func (s *stream) send(asked request) error {
	return s.conn.Send(asked.message())
}
