package main

import (
	"math/rand/v2"
	"time"

	"golang.org/x/net/http2/hpack"
	"switchyard.dev/bench/go/wire"
)

// Field numbers of examples/delegate/v1/delegate.proto.
const (
	connectHello, connectHeartbeat                          = 1, 2
	connectWelcome                                          = 1
	helloDelegate, helloTenant, helloVersion, helloCapacity = 1, 2, 3, 5
	welcomeHeartbeat                                        = 3
	heartbeatCapacity                                       = 1
)

const delegatePath = "/examples.delegate.v1.DelegateGateway/Connect"

// delegate has no tasks; it says hello and goes on to say that it is there.
type delegate struct {
	request []byte
	hello   []byte
}

func newDelegate(id, tenant, version string) *delegate {
	said := wire.Message{}.Text(helloDelegate, id).Text(helloTenant, tenant).Text(helloVersion, version)
	return &delegate{
		request: wire.Headers(delegatePath, "manager",
			hpack.HeaderField{Name: "x-delegate-version", Value: version},
			hpack.HeaderField{Name: "x-delegate-pinned", Value: "true"},
			hpack.HeaderField{Name: "x-tenant-id", Value: tenant},
			hpack.HeaderField{Name: "x-delegate-box", Value: id},
		),
		hello: wire.NewMessage().Bytes(connectHello, said.Number(helloCapacity, 1)).Framed(),
	}
}

func (d *delegate) headers() []byte { return d.request }

func (d *delegate) greeting() [][]byte { return [][]byte{d.hello} }

func (d *delegate) beat() []byte {
	said := wire.Message{}.Number(heartbeatCapacity, 1)
	return wire.NewMessage().Bytes(connectHeartbeat, said).Framed()
}

func (d *delegate) receive(m *member, message []byte) error {
	return wire.Fields(message, func(field wire.Field) error {
		if field.Number != connectWelcome {
			return nil
		}
		var heartbeat time.Duration
		err := wire.Fields(field.Bytes, func(part wire.Field) (err error) {
			if part.Number == welcomeHeartbeat {
				heartbeat, err = durationOf(part.Bytes)
			}
			return err
		})
		m.registered(heartbeat)
		return err
	})
}

// delay is that of a delegate whose stream fails: from nothing to twice what it was at most the last time.
func (d *delegate) delay(failures int) time.Duration {
	full := min(30*time.Second, 500*time.Millisecond<<min(failures-1, 10))
	return time.Duration(rand.Float64() * float64(full))
}
