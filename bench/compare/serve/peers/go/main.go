// A fan-out written by hand in Go: net/http on both sides, slots, width and a deadline, structs for the JSON, and one log line per request.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const prefix = "/v1/facts/"

type service struct {
	upstream *upstream
	width    int
	deadline time.Duration
	lines    *json.Encoder
}

// line is the log line of one request.
type line struct {
	Level  string  `json:"level"`
	Time   int64   `json:"time"`
	Method string  `json:"method"`
	Path   string  `json:"path"`
	Status int     `json:"status"`
	Ms     float64 `json:"ms"`
}

// fanOut makes count calls, at most width of them concurrently. The first failure cancels the other calls.
func (s *service) fanOut(parent context.Context, in *input) ([]fact, error) {
	ctx, cancel := context.WithTimeout(parent, s.deadline)
	defer cancel()

	got := make([]fact, in.count)
	runners := s.width
	if in.count < runners {
		runners = in.count
	}
	var next atomic.Int64
	var failure error
	var failed sync.Once
	var group sync.WaitGroup
	group.Add(runners)
	for i := 0; i < runners; i++ {
		go func() {
			defer group.Done()
			for index := int(next.Add(1)) - 1; index < in.count; index = int(next.Add(1)) - 1 {
				if err := s.upstream.call(ctx, in, index, &got[index]); err != nil {
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

// readInput returns nil for invalid input.
func readInput(r *http.Request) *input {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !strings.HasPrefix(r.URL.Path, prefix) {
		return nil
	}
	in := &input{topic: strings.TrimPrefix(r.URL.Path, prefix), header: http.Header{}}
	if in.count, err = strconv.Atoi(query.Get("n")); err != nil || in.count < 1 || in.count > 100 {
		return nil
	}
	if query.Has("lang") {
		lang := query.Get("lang")
		in.lang = &lang
	}
	if query.Has("max_length") {
		limit, err := strconv.Atoi(query.Get("max_length"))
		if err != nil || limit < 1 {
			return nil
		}
		in.maxLength = &limit
	}
	for _, name := range []string{"Accept-Language", "X-Tenant"} {
		if value := r.Header.Get(name); value != "" {
			in.header.Set(name, value)
		}
	}
	return in
}

// answer returns a status and a body.
func (s *service) answer(r *http.Request) (int, []byte) {
	in := readInput(r)
	if in == nil {
		return http.StatusBadRequest, []byte(`{"error":"the input is not valid"}`)
	}
	got, err := s.fanOut(r.Context(), in)
	if err != nil {
		log.Print(err)
		return http.StatusBadGateway, []byte(`{"error":"the upstream failed"}`)
	}
	body, err := json.Marshal(facts{Facts: got})
	if err != nil {
		log.Print(err)
		return http.StatusInternalServerError, []byte(`{"error":"the reply failed"}`)
	}
	return http.StatusOK, body
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	status, body := s.answer(r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
	s.lines.Encode(line{"info", time.Now().UnixMilli(), r.Method, r.URL.Path, status, float64(time.Since(started).Microseconds()) / 1000})
}

func main() {
	slots := flag.Int("slots", 64, "connections, and calls on the wire at once")
	width := flag.Int("width", 16, "calls of one fan-out at once")
	deadline := flag.Duration("deadline", 2*time.Second, "by when a fan-out must have its answer")
	flag.Parse()

	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), &service{
		upstream: newUpstream(os.Getenv("UPSTREAM"), *slots),
		width:    *width,
		deadline: *deadline,
		lines:    json.NewEncoder(os.Stdout),
	}))
}
