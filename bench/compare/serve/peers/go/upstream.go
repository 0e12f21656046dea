package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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

// input is the input of one inbound request. A nil field is an absent parameter or header.
type input struct {
	topic     string
	count     int
	lang      *string
	maxLength *int
	header    http.Header
}

type upstream struct {
	client *http.Client
	origin string
	slots  chan struct{}
}

func newUpstream(origin string, slots int) *upstream {
	return &upstream{
		client: &http.Client{Transport: &http.Transport{
			MaxConnsPerHost:     slots,
			MaxIdleConnsPerHost: slots,
			MaxIdleConns:        slots,
			DisableCompression:  true,
		}},
		origin: origin,
		slots:  make(chan struct{}, slots),
	}
}

// urlOf returns the URL of one upstream call. It omits absent query parameters.
func (u *upstream) urlOf(in *input, index int) string {
	query := url.Values{}
	query.Set("index", strconv.Itoa(index))
	if in.lang != nil {
		query.Set("lang", *in.lang)
	}
	if in.maxLength != nil {
		query.Set("max_length", strconv.Itoa(*in.maxLength))
	}
	return u.origin + "/topics/" + url.PathEscape(in.topic) + "/fact?" + query.Encode()
}

// call sends one request to the upstream. It holds a slot while the connection is in use.
func (u *upstream) call(ctx context.Context, in *input, index int, into *fact) error {
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.urlOf(in, index), nil)
	if err != nil {
		return err
	}
	for name, values := range in.header {
		request.Header[name] = values
	}
	response, err := u.client.Do(request)
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
