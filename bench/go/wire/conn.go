// Package wire speaks just enough HTTP/2 and gRPC to hold streams: framed by hand, one stream at a time on a connection, so
// that a load takes little time from the servers that it measures.
package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Window sizes that are never used up in a run, so that no window has to be opened again.
const (
	window     = 1<<31 - 1
	firstGrant = window - 65_535
)

// Prefix is the length of what stands before each message of gRPC.
const Prefix = 5

// Conn is a connection with at most one stream at a time. One goroutine may receive while others send.
type Conn struct {
	conn    net.Conn
	framer  *http2.Framer
	sending sync.Mutex
	stream  uint32
	message []byte
}

// End is how a stream ended: the trailers of the server, and nothing where the connection was lost.
type End struct{ Fields []hpack.HeaderField }

// Field is the value of a trailer, or nothing.
func (e End) Field(name string) string {
	for _, field := range e.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

// Headers encodes a request so that it is valid as any block on any connection.
func Headers(path, authority string, more ...hpack.HeaderField) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	fields := append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: path},
		{Name: ":authority", Value: authority},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	}, more...)
	for _, field := range fields {
		// What is sensitive is never remembered by the other side, so no block depends on another.
		field.Sensitive = true
		if err := encoder.WriteField(field); err != nil {
			panic(err)
		}
	}
	return block.Bytes()
}

// Dial connects; readBuffer is in bytes.
func Dial(target string, readBuffer int) (*Conn, error) {
	conn, err := net.Dial("tcp", target)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, framer: http2.NewFramer(conn, bufio.NewReaderSize(conn, readBuffer))}
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.greet(); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) greet() error {
	if _, err := c.conn.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	if err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		return err
	}
	return c.framer.WriteWindowUpdate(0, firstGrant)
}

// Close ends the connection, whatever goes on there.
func (c *Conn) Close() { c.conn.Close() }

// Open begins the next stream; the one before must have ended.
func (c *Conn) Open(headers []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	// Those of clients are odd.
	if c.stream == 0 {
		c.stream = 1
	} else {
		c.stream += 2
	}
	c.message = c.message[:0]
	return c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: c.stream, BlockFragment: headers, EndHeaders: true,
	})
}

// Send writes a message that has its prefix.
func (c *Conn) Send(message []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.framer.WriteData(c.stream, false, message)
}

// Receive hands over each message until the stream ends. An error means that the connection is of no use any more. The
// message is valid during the call only.
func (c *Conn) Receive(take func(message []byte) error) (End, error) {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return End{}, err
		}
		end, err := c.take(frame, take)
		if err != nil {
			return End{}, err
		}
		if end != nil {
			return *end, nil
		}
	}
}

func (c *Conn) take(frame http2.Frame, take func(message []byte) error) (*End, error) {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			return nil, c.reply(func() error { return c.framer.WriteSettingsAck() })
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			return nil, c.reply(func() error { return c.framer.WritePing(true, frame.Data) })
		}
	case *http2.GoAwayFrame:
		return nil, &LostError{"the server says goodbye: " + frame.ErrCode.String()}
	}
	if frame.Header().StreamID != c.stream {
		return nil, nil
	}
	switch frame := frame.(type) {
	case *http2.DataFrame:
		return nil, c.data(frame.Data(), take)
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			end := &End{Fields: append([]hpack.HeaderField(nil), frame.Fields...)}
			return end, c.reply(func() error { return c.framer.WriteRSTStream(c.stream, http2.ErrCodeNo) })
		}
	case *http2.RSTStreamFrame:
		return nil, &LostError{"the server reset the stream: " + frame.ErrCode.String()}
	}
	return nil, nil
}

// LostError says why there is no stream any more, where the server did not end it in order.
type LostError struct{ why string }

func (e *LostError) Error() string { return e.why }

func (c *Conn) reply(write func() error) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return write()
}

// data takes a piece of the stream of messages.
func (c *Conn) data(piece []byte, take func(message []byte) error) error {
	c.message = append(c.message, piece...)
	for len(c.message) >= Prefix {
		length := Prefix + int(binary.BigEndian.Uint32(c.message[1:Prefix]))
		if len(c.message) < length {
			return nil
		}
		if err := take(c.message[Prefix:length]); err != nil {
			return err
		}
		c.message = append(c.message[:0], c.message[length:]...)
	}
	return nil
}
