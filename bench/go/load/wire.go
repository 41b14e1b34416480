package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
)

// The four resource types, in the order in which they are asked for.
const (
	clusters = iota
	endpoints
	listeners
	routes
	typeCount
)

var typeURLs = [typeCount]string{
	"type.googleapis.com/envoy.config.cluster.v3.Cluster",
	"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
	"type.googleapis.com/envoy.config.listener.v3.Listener",
	"type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
}

// Field numbers of envoy/service/discovery/v3/discovery.proto and of Node in envoy/config/core/v3/base.proto.
const (
	requestVersion, requestNode, requestNames, requestType, requestNonce = 1, 2, 3, 4, 5
	responseVersion, responseType, responseNonce                         = 1, 4, 5
	nodeID, nodeCluster, nodeAgent                                       = 1, 2, 6
)

// requestHeaders is the same for each connection, as the first block on it.
var requestHeaders = func() []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"},
		{Name: ":authority", Value: "xds"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	} {
		if err := encoder.WriteField(field); err != nil {
			panic(err)
		}
	}
	return block.Bytes()
}()

func nodeMessage(id string) []byte {
	message := appendString(nil, nodeID, id)
	message = appendString(message, nodeCluster, "gateways")
	return appendString(message, nodeAgent, "envoy")
}

// request is a DiscoveryRequest.
type request struct {
	node    []byte
	kind    int
	version []byte
	nonce   []byte
	names   []string
}

// message has the length prefix of gRPC in front.
func (r request) message() []byte {
	message := make([]byte, grpcPrefix, 256)
	if len(r.version) > 0 {
		message = appendBytes(message, requestVersion, r.version)
	}
	if len(r.node) > 0 {
		message = appendBytes(message, requestNode, r.node)
	}
	for _, name := range r.names {
		message = appendString(message, requestNames, name)
	}
	message = appendString(message, requestType, typeURLs[r.kind])
	if len(r.nonce) > 0 {
		message = appendBytes(message, requestNonce, r.nonce)
	}
	binary.BigEndian.PutUint32(message[1:grpcPrefix], uint32(len(message)-grpcPrefix))
	return message
}

// response is what is read of a DiscoveryResponse; its bytes are those of the message.
type response struct {
	kind    int
	version []byte
	nonce   []byte
}

func readResponse(message []byte) (response, error) {
	got := response{kind: -1}
	for len(message) > 0 {
		field, wireType, length := protowire.ConsumeTag(message)
		if length < 0 {
			return got, protowire.ParseError(length)
		}
		message = message[length:]
		length = protowire.ConsumeFieldValue(field, wireType, message)
		if length < 0 {
			return got, protowire.ParseError(length)
		}
		if field == responseVersion || field == responseType || field == responseNonce {
			value, _ := protowire.ConsumeBytes(message)
			switch field {
			case responseVersion:
				got.version = value
			case responseNonce:
				got.nonce = value
			case responseType:
				got.kind = kindOf(value)
			}
		}
		message = message[length:]
	}
	if got.kind < 0 {
		return got, fmt.Errorf("a response of no known type")
	}
	return got, nil
}

func kindOf(url []byte) int {
	for kind, known := range typeURLs {
		if string(url) == known {
			return kind
		}
	}
	return -1
}

func appendString(message []byte, field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(message, field, protowire.BytesType), value)
}

func appendBytes(message []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, field, protowire.BytesType), value)
}
