package main

import (
	"math/rand/v2"
	"sync"
	"time"

	"switchyard.dev/bench/go/wire"
)

// Field numbers of switchyard/watcher/v1/watcher.proto.
const (
	requestIdentity, requestReport                                   = 1, 2
	responseGoal, responseHeartbeat                                  = 1, 3
	identityID, identityService, identityTenant, identityMaxVersions = 1, 2, 3, 6
	reportSeen, reportApplied, reportVersions, reportDiskFree        = 1, 2, 4, 5
	boxVersionName, boxVersionState, boxVersionSince                 = 1, 2, 4
	goalGeneration, goalVersions, goalVersionName                    = 2, 4, 1
	stateReady                                                       = 6
	durationSeconds, durationNanos                                   = 1, 2
	timestampSeconds                                                 = 1
)

const watcherPath = "/switchyard.watcher.v1.WatcherService/Follow"

var watcherHeaders = wire.Headers(watcherPath, "controller")

// watcher takes each goal state at once, and says that all its versions are ready.
type watcher struct {
	identity []byte
	since    uint64
	// Guards what follows: heartbeats come from a timer.
	mutex      sync.Mutex
	generation uint64
	versions   []string
}

func newWatcher(id, tenant, service string) *watcher {
	said := wire.Message{}.Text(identityID, id).Text(identityService, service).Text(identityTenant, tenant)
	return &watcher{identity: said.Number(identityMaxVersions, 3), since: uint64(time.Now().Unix())}
}

func (w *watcher) headers() []byte { return watcherHeaders }

func (w *watcher) greeting() [][]byte {
	return [][]byte{wire.NewMessage().Bytes(requestIdentity, w.identity).Framed(), w.beat()}
}

func (w *watcher) beat() []byte {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	said := wire.Message{}.Number(reportSeen, w.generation).Number(reportApplied, w.generation)
	for _, name := range w.versions {
		since := wire.Message{}.Number(timestampSeconds, w.since)
		version := wire.Message{}.Text(boxVersionName, name).Number(boxVersionState, stateReady)
		said = said.Bytes(reportVersions, version.Bytes(boxVersionSince, since))
	}
	return wire.NewMessage().Bytes(requestReport, said.Number(reportDiskFree, 1<<34)).Framed()
}

func (w *watcher) receive(m *member, message []byte) error {
	var goal []byte
	var heartbeat time.Duration
	err := wire.Fields(message, func(field wire.Field) (err error) {
		switch field.Number {
		case responseGoal:
			goal = field.Bytes
		case responseHeartbeat:
			heartbeat, err = durationOf(field.Bytes)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.registered(heartbeat)
	if goal == nil {
		return nil
	}
	versions, err := w.take(goal)
	if err != nil {
		return err
	}
	m.informed(versions, len(message))
	return m.conn.Send(w.beat())
}

// take keeps a goal state and answers its versions.
func (w *watcher) take(goal []byte) ([]string, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.versions = nil
	err := wire.Fields(goal, func(field wire.Field) error {
		switch field.Number {
		case goalGeneration:
			w.generation = field.Varint
		case goalVersions:
			return wire.Fields(field.Bytes, func(part wire.Field) error {
				if part.Number == goalVersionName {
					w.versions = append(w.versions, string(part.Bytes))
				}
				return nil
			})
		}
		return nil
	})
	return w.versions, err
}

// delay is that of a watcher whose stream fails.
func (w *watcher) delay(failures int) time.Duration {
	full := min(time.Minute, time.Second<<min(failures-1, 10))
	return full/2 + time.Duration(rand.Float64()*float64(full)/2)
}

func durationOf(message []byte) (time.Duration, error) {
	var length time.Duration
	err := wire.Fields(message, func(field wire.Field) error {
		switch field.Number {
		case durationSeconds:
			length += time.Duration(field.Varint) * time.Second
		case durationNanos:
			length += time.Duration(field.Varint)
		}
		return nil
	})
	return length, err
}
