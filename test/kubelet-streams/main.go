// The streams of a kubelet, for tests: a real API server passes a port-forward on to it, and it is answered by the code that
// kubelets and container runtimes answer with. Pods have no network of their own here, so a Pod's port is one of its address.
//
//	kubelet-streams ADDRESS FOLDER
//
// In FOLDER there is a file NAMESPACE_NAME for each Pod, with its address.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
)

// As kubelets have them by default.
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = 30 * time.Second
)

// pods is the folder of their addresses.
type pods string

// PortForward copies between a stream and a port of a Pod until one of them ends.
func (folder pods) PortForward(_ context.Context, pod string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	address, err := os.ReadFile(filepath.Join(string(folder), filepath.Base(pod)))
	if err != nil {
		return fmt.Errorf("pod %s does not run here", pod)
	}
	connection, err := net.Dial("tcp", net.JoinHostPort(strings.TrimSpace(string(address)), strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(connection, stream)
		ended <- err
	}()
	go func() {
		_, err := io.Copy(stream, connection)
		ended <- err
	}()
	return <-ended
}

func (folder pods) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	if len(parts) < 3 || parts[0] != "portForward" {
		http.NotFound(response, request)
		return
	}
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	pod := parts[1] + "_" + parts[2]
	portforward.ServePortForward(response, request, folder, pod, "", options, idleTimeout, creationTimeout,
		portforward.SupportedProtocols)
}

// A certificate that nobody has signed: by default an API server does not ask who a kubelet is.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, err
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: kubelet-streams ADDRESS FOLDER")
	}
	own, err := certificate()
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Addr:    os.Args[1],
		Handler: pods(os.Args[2]),
		// No HTTP/2: a connection that is upgraded becomes the stream.
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"http/1.1"}},
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}
