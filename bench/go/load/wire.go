package main

import (
	"fmt"

	"switchyard.dev/bench/go/wire"
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

var requestHeaders = wire.Headers("/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources", "xds")

func nodeMessage(id string) []byte {
	return wire.Message{}.Text(nodeID, id).Text(nodeCluster, "gateways").Text(nodeAgent, "envoy")
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
	message := wire.NewMessage()
	if len(r.version) > 0 {
		message = message.Bytes(requestVersion, r.version)
	}
	if len(r.node) > 0 {
		message = message.Bytes(requestNode, r.node)
	}
	for _, name := range r.names {
		message = message.Text(requestNames, name)
	}
	message = message.Text(requestType, typeURLs[r.kind])
	if len(r.nonce) > 0 {
		message = message.Bytes(requestNonce, r.nonce)
	}
	return message.Framed()
}

// response is what is read of a DiscoveryResponse; its bytes are those of the message.
type response struct {
	kind    int
	version []byte
	nonce   []byte
}

func readResponse(message []byte) (response, error) {
	got := response{kind: -1}
	err := wire.Fields(message, func(field wire.Field) error {
		switch field.Number {
		case responseVersion:
			got.version = field.Bytes
		case responseNonce:
			got.nonce = field.Bytes
		case responseType:
			got.kind = kindOf(field.Bytes)
		}
		return nil
	})
	if err == nil && got.kind < 0 {
		err = fmt.Errorf("a response of no known type")
	}
	return got, err
}

func kindOf(url []byte) int {
	for kind, known := range typeURLs {
		if string(url) == known {
			return kind
		}
	}
	return -1
}
