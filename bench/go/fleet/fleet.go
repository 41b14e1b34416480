package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// fleet is all members.
type fleet struct {
	members   []*member
	comeBacks atomic.Int64
	failures  atomic.Int64
	bytes     atomic.Int64
	lastError atomic.Pointer[string]
}

// role is what watchers and delegates do differently. A role belongs to one member.
type role interface {
	// headers of its request.
	headers() []byte
	// greeting is what it says first.
	greeting() [][]byte
	// receive takes a message; it may answer.
	receive(m *member, message []byte) error
	// beat is what it says now and then.
	beat() []byte
	// delay before the next attempt, after failures in a row.
	delay(failures int) time.Duration
}

func open(asked order) (*fleet, error) {
	all := &fleet{}
	for number := range asked.Count {
		of, err := roleOf(asked, number)
		if err != nil {
			return nil, err
		}
		all.members = append(all.members, &member{fleet: all, role: of, target: asked.Target, told: map[string]int64{}})
	}
	for _, m := range all.members {
		go func() {
			time.Sleep(time.Duration(rand.Float64() * float64(asked.Spread) * float64(time.Millisecond)))
			m.live()
		}()
	}
	return all, nil
}

func roleOf(asked order, number int) (role, error) {
	tenant := fmt.Sprintf("tenant-%d", number%max(1, asked.Tenants))
	id := fmt.Sprintf("box-%d", number)
	switch asked.Role {
	case "watcher":
		return newWatcher(id, tenant, asked.Service), nil
	case "delegate":
		return newDelegate(id, tenant, asked.Version), nil
	default:
		return nil, fmt.Errorf("role must be watcher or delegate, not %q", asked.Role)
	}
}

// registered are the times of those that registered after what is asked for; false while anybody is missing.
func (f *fleet) registered(asked order) ([]float64, bool) {
	var times []float64
	for _, m := range f.members {
		at := m.registeredAt.Load()
		if at == 0 {
			return times, false
		}
		if after := milliseconds(at) - asked.Since; after >= 0 {
			times = append(times, after)
		}
	}
	return times, len(times) >= asked.AtLeast
}

// informed are the times at which they were told of a version; false while anybody was not.
func (f *fleet) informed(asked order) ([]float64, bool) {
	times := make([]float64, 0, len(f.members))
	missing := false
	for _, m := range f.members {
		at := m.toldOf(asked.Version)
		if at == 0 {
			missing = true
			continue
		}
		times = append(times, milliseconds(at)-asked.Since)
	}
	return times, !missing
}

func (f *fleet) await(asked order, look func(order) ([]float64, bool)) answer {
	until := time.Now().Add(time.Duration(asked.Within) * time.Millisecond)
	for {
		times, done := look(asked)
		if done {
			return f.summary(times)
		}
		if time.Now().After(until) {
			late := f.summary(times)
			late.Error = fmt.Sprintf("%s: %d of %d within %d ms", asked.Do, len(times), len(f.members), asked.Within)
			if last := f.lastError.Load(); last != nil {
				late.Error += "; the last failure: " + *last
			}
			return late
		}
		time.Sleep(lookEvery)
	}
}

func (f *fleet) summary(times []float64) answer {
	said := answer{
		Count: len(times), ComeBacks: f.comeBacks.Load(), Failures: f.failures.Load(), Bytes: f.bytes.Load(),
	}
	if len(times) == 0 {
		return said
	}
	slices.Sort(times)
	at := func(share float64) float64 { return times[min(len(times)-1, int(share*float64(len(times))))] }
	said.Median, said.P99, said.Last = at(0.5), at(0.99), times[len(times)-1]
	return said
}

func milliseconds(unixNanos int64) float64 { return float64(unixNanos) / float64(time.Millisecond) }
