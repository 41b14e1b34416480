package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// fleet is all streams, and how far they are.
type fleet struct {
	asked   order
	streams []*stream
	// missing counts down to the moment that everybody waits for; then arrived is closed.
	missing   atomic.Int64
	round     atomic.Int64
	arrived   chan struct{}
	began     time.Time
	failed    chan error
	responses atomic.Int64
}

func newFleet(asked order) *fleet {
	f := &fleet{asked: asked, failed: make(chan error, asked.Streams)}
	for number := range asked.Streams {
		f.streams = append(f.streams, &stream{fleet: f, number: number})
	}
	return f
}

// expect begins the wait for one arrival on each stream.
func (f *fleet) expect() <-chan struct{} {
	f.arrived = make(chan struct{})
	f.missing.Store(int64(len(f.streams)))
	f.began = time.Now()
	f.round.Add(1)
	return f.arrived
}

// reached is told by a stream that has what is waited for, once in a round.
func (f *fleet) reached(s *stream) {
	round := f.round.Load()
	if s.round == round {
		return
	}
	s.round = round
	s.after.Store(int64(time.Since(f.began)))
	if f.missing.Add(-1) == 0 {
		close(f.arrived)
	}
}

// connect opens all streams at once and waits until each has resources of all types.
func (f *fleet) connect() error {
	arrived := f.expect()
	for _, s := range f.streams {
		go func() {
			if err := s.run(); err != nil {
				f.failed <- fmt.Errorf("stream %d: %w", s.number, err)
			}
		}()
	}
	select {
	case <-arrived:
		return nil
	case err := <-f.failed:
		return err
	case <-time.After(flipWithin):
		return fmt.Errorf("%d of %d streams were not served within %v", f.missing.Load(), len(f.streams), flipWithin)
	}
}

// agree checks that all streams have the same routes.
func (f *fleet) agree() error {
	for _, s := range f.streams {
		if version := s.version.Load(); *version != *f.streams[0].version.Load() {
			return fmt.Errorf("stream %d has routes %s, stream 0 has others", s.number, *version)
		}
	}
	return nil
}

func (f *fleet) times() []time.Duration {
	times := make([]time.Duration, 0, len(f.streams))
	for _, s := range f.streams {
		times = append(times, time.Duration(s.after.Load()))
	}
	return times
}
