// A fan-out written by hand in Go: net/http on both sides, slots, width and a deadline, and structs for the JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type detail struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	Breed    string   `json:"breed"`
	WeightKg float64  `json:"weightKg"`
	Indoor   bool     `json:"indoor"`
	Traits   []string `json:"traits"`
}

type fact struct {
	Fact    string   `json:"fact"`
	Length  int      `json:"length"`
	Details []detail `json:"details,omitempty"`
}

type facts struct {
	Facts []fact `json:"facts"`
}

type reply struct {
	Data     facts `json:"data"`
	Complete bool  `json:"complete"`
}

type service struct {
	client   *http.Client
	url      string
	slots    chan struct{}
	width    int
	deadline time.Duration
}

// call sends one request to the upstream. It holds a slot while the connection is in use.
func (s *service) call(ctx context.Context, into *fact) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength < 0 {
		io.Copy(io.Discard, response.Body)
		return fmt.Errorf("the upstream answered %d with a length of %d", response.StatusCode, response.ContentLength)
	}
	// The length is known, so the buffer has the right size and does not grow.
	body := make([]byte, response.ContentLength)
	if _, err := io.ReadFull(response.Body, body); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// fanOut makes count calls, at most width of them concurrently. The first failure cancels the other calls.
func (s *service) fanOut(parent context.Context, count int) ([]fact, error) {
	ctx, cancel := context.WithTimeout(parent, s.deadline)
	defer cancel()

	got := make([]fact, count)
	runners := s.width
	if count < runners {
		runners = count
	}
	var next atomic.Int64
	var failure error
	var failed sync.Once
	var group sync.WaitGroup
	group.Add(runners)
	for i := 0; i < runners; i++ {
		go func() {
			defer group.Done()
			for index := int(next.Add(1)) - 1; index < count; index = int(next.Add(1)) - 1 {
				if err := s.call(ctx, &got[index]); err != nil {
					failed.Do(func() {
						failure = err
						cancel()
					})
					return
				}
			}
		}()
	}
	group.Wait()
	return got, failure
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil || count < 1 || count > 100 {
		http.Error(w, "n is 1 to 100", http.StatusBadRequest)
		return
	}
	got, err := s.fanOut(r.Context(), count)
	if err != nil {
		log.Print(err)
		http.Error(w, "the upstream failed", http.StatusBadGateway)
		return
	}
	body, err := json.Marshal(reply{Data: facts{Facts: got}, Complete: true})
	if err != nil {
		log.Print(err)
		http.Error(w, "the reply failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func main() {
	origin := flag.String("origin", "", "of the upstream")
	slots := flag.Int("slots", 64, "connections, and calls on the wire at once")
	width := flag.Int("width", 16, "calls of one fan-out at once")
	deadline := flag.Duration("deadline", 2*time.Second, "by when a fan-out must have its answer")
	flag.Parse()

	transport := &http.Transport{
		MaxConnsPerHost:     *slots,
		MaxIdleConnsPerHost: *slots,
		MaxIdleConns:        *slots,
		DisableCompression:  true,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// The parent process reads the port from stdout. When stdin ends, the parent has exited, so this program exits too.
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(http.Serve(listener, &service{
		client:   &http.Client{Transport: transport},
		url:      *origin + "/fact",
		slots:    make(chan struct{}, *slots),
		width:    *width,
		deadline: *deadline,
	}))
}
