package wire

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// Message is a protobuf message under construction, after the room for the prefix of gRPC.
type Message []byte

// NewMessage begins a message that is sent.
func NewMessage() Message { return make(Message, Prefix, 128) }

// Framed is the message with its prefix.
func (m Message) Framed() []byte {
	binary.BigEndian.PutUint32(m[1:Prefix], uint32(len(m)-Prefix))
	return m
}

// Text adds a field; an empty one is left out.
func (m Message) Text(field protowire.Number, value string) Message {
	if value == "" {
		return m
	}
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), value)
}

// Bytes adds a field of bytes or of an encoded message.
func (m Message) Bytes(field protowire.Number, value []byte) Message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), value)
}

// Number adds a field; 0 is left out.
func (m Message) Number(field protowire.Number, value uint64) Message {
	if value == 0 {
		return m
	}
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), value)
}

// Field is one field of a message that came: the number of a varint, or the bytes of everything that has a length.
type Field struct {
	Number protowire.Number
	Varint uint64
	Bytes  []byte
}

// Fields walks a message. Other wire types are passed over.
func Fields(message []byte, take func(Field) error) error {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return protowire.ParseError(length)
		}
		message = message[length:]
		length = protowire.ConsumeFieldValue(number, kind, message)
		if length < 0 {
			return protowire.ParseError(length)
		}
		field := Field{Number: number}
		switch kind {
		case protowire.VarintType:
			field.Varint, _ = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			field.Bytes, _ = protowire.ConsumeBytes(message)
		}
		if err := take(field); err != nil {
			return err
		}
		message = message[length:]
	}
	return nil
}
