package main

import (
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// The few messages of examples.manager.v1 are read and written by field number, so that no generated code is needed.

// Field 1 of WhoAmIResponse and WatchResponse.
const versionField = 1

// Field 1 of WatchRequest.
const intervalField = 1

// rawCodec passes messages through as bytes: messages are *[]byte.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(message any) (mem.BufferSlice, error) {
	bytes, ok := message.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("a message must be *[]byte, not %T", message)
	}
	return mem.BufferSlice{mem.SliceBuffer(*bytes)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, message any) error {
	bytes, ok := message.(*[]byte)
	if !ok {
		return fmt.Errorf("a message must be *[]byte, not %T", message)
	}
	*bytes = data.Materialize()
	return nil
}

// watchRequest is a WatchRequest.
func watchRequest(interval uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, intervalField, protowire.VarintType), interval)
}

// versionIn is the version in an answer; empty where there is none, which no version's name is.
func versionIn(message []byte) string {
	for len(message) > 0 {
		field, wireType, length := protowire.ConsumeTag(message)
		if length < 0 {
			return ""
		}
		message = message[length:]
		if field == versionField && wireType == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			return string(value)
		}
		length = protowire.ConsumeFieldValue(field, wireType, message)
		if length < 0 {
			return ""
		}
		message = message[length:]
	}
	return ""
}
