package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Window sizes that are never used up in a run, so that no window has to be opened again.
const (
	window     = 1<<31 - 1
	firstGrant = window - 65_535
	readBuffer = 16 * 1024
	grpcPrefix = 5
)

// stream is one proxy: one connection with one discovery stream. It asks for clusters, endpoints, listeners and
// routes, each after it has the one before, as an Envoy does.
type stream struct {
	fleet   *fleet
	number  int
	framer  *http2.Framer
	message []byte
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
	conn, err := net.Dial("tcp", s.fleet.asked.Target)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	s.framer = http2.NewFramer(conn, bufio.NewReaderSize(conn, readBuffer))
	s.framer.SetReuseFrames()
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	settings := []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: window}}
	if err := s.framer.WriteSettings(settings...); err != nil {
		return err
	}
	if err := s.framer.WriteWindowUpdate(0, firstGrant); err != nil {
		return err
	}
	headers := http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestHeaders, EndHeaders: true}
	if err := s.framer.WriteHeaders(headers); err != nil {
		return err
	}
	node := nodeMessage(fmt.Sprintf("gateway-%d", s.number))
	if err := s.send(request{node: node, kind: clusters}); err != nil {
		return err
	}
	for {
		frame, err := s.framer.ReadFrame()
		if err != nil {
			return err
		}
		if err := s.take(frame); err != nil {
			return err
		}
	}
}

func (s *stream) take(frame http2.Frame) error {
	switch frame := frame.(type) {
	case *http2.DataFrame:
		return s.data(frame.Data())
	case *http2.SettingsFrame:
		if frame.IsAck() {
			return nil
		}
		return s.framer.WriteSettingsAck()
	case *http2.PingFrame:
		if frame.IsAck() {
			return nil
		}
		return s.framer.WritePing(true, frame.Data)
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			return fmt.Errorf("the server ended the stream: %v", frame.Fields)
		}
	case *http2.RSTStreamFrame:
		return fmt.Errorf("the server reset the stream: %v", frame.ErrCode)
	case *http2.GoAwayFrame:
		return fmt.Errorf("the server says goodbye: %v %s", frame.ErrCode, frame.DebugData())
	}
	return nil
}

// data takes a piece of the stream of messages.
func (s *stream) data(piece []byte) error {
	s.message = append(s.message, piece...)
	for len(s.message) >= grpcPrefix {
		length := grpcPrefix + int(binary.BigEndian.Uint32(s.message[1:grpcPrefix]))
		if len(s.message) < length {
			return nil
		}
		if err := s.respond(s.message[grpcPrefix:length]); err != nil {
			return err
		}
		s.message = append(s.message[:0], s.message[length:]...)
	}
	return nil
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
	return s.framer.WriteData(1, false, asked.message())
}
