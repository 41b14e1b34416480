// The peer of the benchmark: go-control-plane as shipped (SnapshotCache in ADS mode behind grpc-go), serving resources
// that it is given as bytes. It flips between two states of them when it is told to over HTTP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// state is what proxies have between two flips: encoded messages by type (JSON has them in base 64).
type state struct {
	Clusters  [][]byte `json:"clusters"`
	Endpoints [][]byte `json:"endpoints"`
	Listeners [][]byte `json:"listeners"`
	Routes    [][]byte `json:"routes"`
}

// oneGroup puts all proxies into one group: they share a snapshot.
type oneGroup struct{}

func (oneGroup) ID(*core.Node) string { return "gateways" }

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var states []state
	if err := json.Unmarshal(content, &states); err != nil {
		return err
	}
	snapshots := cache.NewSnapshotCache(true, oneGroup{}, nil)
	ctx := context.Background()
	version := 0
	publish := func() error {
		snapshot, err := snapshotOf(states[version%len(states)], version)
		if err != nil {
			return err
		}
		version++
		return snapshots.SetSnapshot(ctx, oneGroup{}.ID(nil), snapshot)
	}
	if err := publish(); err != nil {
		return err
	}

	xds, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	grpcServer := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(ctx, snapshots, nil))
	go func() { log.Fatal(grpcServer.Serve(xds)) }()
	// Flips come one after the other.
	http.HandleFunc("POST /flip", func(response http.ResponseWriter, _ *http.Request) {
		if err := publish(); err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
		}
	})
	fmt.Printf("{\"xds\":%d,\"control\":%d}\n", portOf(xds), portOf(control))
	return http.Serve(control, nil)
}

func portOf(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

// snapshotOf gives the routes a version of their own: the other types do not change in a flip, and are not sent again.
func snapshotOf(from state, version int) (*cache.Snapshot, error) {
	snapshot := &cache.Snapshot{}
	for _, part := range []struct {
		kind    types.ResponseType
		version string
		encoded [][]byte
		empty   func() types.Resource
	}{
		{types.Cluster, "1", from.Clusters, func() types.Resource { return &cluster.Cluster{} }},
		{types.Endpoint, "1", from.Endpoints, func() types.Resource { return &endpoint.ClusterLoadAssignment{} }},
		{types.Listener, "1", from.Listeners, func() types.Resource { return &listener.Listener{} }},
		{types.Route, strconv.Itoa(version + 1), from.Routes, func() types.Resource { return &route.RouteConfiguration{} }},
	} {
		resources := make([]types.Resource, 0, len(part.encoded))
		for _, bytes := range part.encoded {
			message := part.empty()
			if err := proto.Unmarshal(bytes, message); err != nil {
				return nil, err
			}
			resources = append(resources, message)
		}
		snapshot.Resources[part.kind] = cache.NewResources(part.version, resources)
	}
	return snapshot, snapshot.Consistent()
}
