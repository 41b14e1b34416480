package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"switchyard.dev/bench/go/wire"
)

const (
	readBuffer = 1024
	// A stream that lived for so long was no failure.
	lives = time.Minute
)

// member is one watcher or delegate: it has a stream, or tries to.
type member struct {
	fleet  *fleet
	role   role
	target string
	conn   *wire.Conn
	// When the stream that it has was answered first, in nanoseconds since 1970; 0: it has none.
	registeredAt atomic.Int64
	mutex        sync.Mutex
	// When it was first told of a version, in nanoseconds since 1970.
	told map[string]int64
}

// live goes on until the program ends.
func (m *member) live() {
	failures := 0
	for {
		end, err := m.attempt()
		registered := m.registeredAt.Swap(0)
		if after, known := comeBack(end); err == nil && known {
			m.fleet.comeBacks.Add(1)
			// As a watcher does: a little later than it was told, so that nobody comes together.
			time.Sleep(time.Duration(float64(after) * (1 + rand.Float64()/10)))
			continue
		}
		m.failed(end, err)
		failures++
		if registered != 0 && time.Since(time.Unix(0, registered)) >= lives {
			failures = 1
		}
		time.Sleep(m.role.delay(failures))
	}
}

func (m *member) failed(end wire.End, err error) {
	m.fleet.failures.Add(1)
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
	why := fmt.Sprint(err)
	if err == nil {
		why = fmt.Sprintf("status %s: %s", end.Field("grpc-status"), end.Field("grpc-message"))
	}
	m.fleet.lastError.Store(&why)
}

// attempt ends with the stream.
func (m *member) attempt() (wire.End, error) {
	if m.conn == nil {
		conn, err := wire.Dial(m.target, readBuffer)
		if err != nil {
			return wire.End{}, err
		}
		m.conn = conn
	}
	if err := m.conn.Open(m.role.headers()); err != nil {
		return wire.End{}, err
	}
	for _, message := range m.role.greeting() {
		if err := m.conn.Send(message); err != nil {
			return wire.End{}, err
		}
	}
	return m.conn.Receive(func(message []byte) error { return m.role.receive(m, message) })
}

// registered is told by the role when the other side has taken it in.
func (m *member) registered(heartbeat time.Duration) {
	if !m.registeredAt.CompareAndSwap(0, time.Now().UnixNano()) || heartbeat == 0 {
		return
	}
	conn := m.conn
	go func() {
		// The first at any time of the interval: thousands that came together shall not go on together.
		time.Sleep(time.Duration(rand.Float64() * float64(heartbeat)))
		for conn.Send(m.role.beat()) == nil {
			time.Sleep(heartbeat)
		}
	}()
}

// informed is told by the role when a message told of versions.
func (m *member) informed(versions []string, bytes int) {
	now := time.Now().UnixNano()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, version := range versions {
		if _, known := m.told[version]; !known {
			m.told[version] = now
		}
	}
	m.fleet.bytes.Store(int64(bytes))
}

// toldOf is when it was told of a version; 0: it was not.
func (m *member) toldOf(version string) int64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.told[version]
}

// comeBack is the time after which the other side wants to see it again.
func comeBack(end wire.End) (time.Duration, bool) {
	after, err := strconv.Atoi(end.Field("retry-after-ms"))
	return time.Duration(after) * time.Millisecond, err == nil
}
