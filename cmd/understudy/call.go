package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// longestCall is how long a call may take: longer than any delay that a
// scenario may ask for.
const longestCall = 5 * time.Minute

func callCommand(env *env) *cobra.Command {
	var outcome, played string
	var asCurl bool
	cmd := &cobra.Command{
		Use:   "call API OPERATION [name=value…]",
		Short: "make a signed request with the sandbox's credentials; print it and its answer",
		Long: "call makes the request that a client library would make, with the credentials of the sandbox, sends it\n" +
			"and prints both the request and the answer. Values are read as the operation's table documents them;\n" +
			"lists and objects are written as JSON, lists also as a,b,c, and name=@file takes the value from a file.\n" +
			"What bodies do not show, because it is encrypted, is printed as well. An answer that is an error of\n" +
			"the API is an answer: call ends with 0.",
		Example:           "  understudy call tencentcar ApplyConcurrent ProjectId=cap-abcdefgh UserId=u-1 UserIp=127.0.0.1",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeCall,
	}
	t := targetFlags(cmd)
	cmd.Flags().StringVar(&outcome, "outcome", "", "the documented outcome that the call shall have")
	cmd.Flags().StringVar(&played, "scenario", "", "the scenario that is played to this call alone")
	cmd.Flags().BoolVar(&asCurl, "curl", false, "send nothing, and print a line for curl instead")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		api, err := findAPI(args[0])
		if err != nil {
			return err
		}
		op, err := findOperation(api, args[1])
		if err != nil {
			return err
		}
		in, warnings, err := client.Input(op.Params, args[2:])
		if err != nil {
			return err
		}
		for _, w := range warnings {
			env.note("understudy: %s\n", w)
		}
		w, err := sandboxInfo(cmd.Context(), c, env)
		if err != nil {
			return err
		}
		k, err := readCredentials(env, api, w.Credentials[api.Name])
		if err != nil {
			return err
		}
		r, err := sign(c, w, api, contract.Draft{Operation: op, In: in, Credentials: k.values})
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("sandbox") {
			r.Header.Set(gateway.SandboxHeader, c.Sandbox)
		}
		if outcome != "" {
			r.Header.Set(gateway.OutcomeHeader, outcome)
		}
		if played != "" {
			r.Header.Set(gateway.ScenarioHeader, played)
		}
		if asCurl && k.redactor != nil {
			env.note("understudy: %s\n", replay.WhyAnew)
			env.say("%s\n", k.redactor.Text(callLine(cmd, args)))
			return nil
		}
		if asCurl {
			env.say("%s\n", r.curl())
			return nil
		}
		x, err := r.send(cmd.Context(), env.out, api, k)
		if err != nil {
			return err
		}
		return printDecoded(cmd.Context(), c, env, x)
	}
	return cmd
}

// callLine is the command line without --curl.
func callLine(cmd *cobra.Command, args []string) string {
	words := append([]string{"understudy", "call"}, args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "sandbox", "outcome", "scenario", "control":
			words = append(words, "--"+f.Name, f.Value.String())
		}
	})
	return replay.Line(words...)
}

// completeCall offers APIs, operations and then parameters.
func completeCall(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) < 2 {
		return afterAPI(operationNames)(args), cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	if api, err := findAPI(args[0]); err == nil {
		if op := api.Operation(args[1]); op != nil {
			for i := range op.Params {
				names = append(names, op.Params[i].Name+"=")
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// sandboxAnswer is what the control API says of a sandbox, as far as it is needed here.
type sandboxAnswer struct {
	URLs        map[string]string          `json:"urls"`
	Credentials map[string]contract.Values `json:"credentials"`
	Clock       clock.Reading              `json:"clock"`
}

// prepared is a request that is ready to be sent.
type prepared struct {
	*contract.Request
	url string
}

// sandboxInfo asks for the client's sandbox. One that is not there yet is made by the
// call, and begins as the default one did.
func sandboxInfo(ctx context.Context, c *client.Client, env *env) (*sandboxAnswer, error) {
	w := &sandboxAnswer{}
	err := c.Get(ctx, c.InSandbox(), w)
	var missing *client.Error
	if err == nil || !errors.As(err, &missing) || missing.Kind != client.Unknown || sandbox.CheckName(c.Sandbox) != nil {
		return w, err
	}
	if c.Get(ctx, client.Path("sandboxes", sandbox.Default), w) != nil {
		return nil, err
	}
	env.note("understudy: there is no sandbox %s yet; the call makes it\n", c.Sandbox)
	return w, nil
}

// sign makes the request that a draft means, for a sandbox.
func sign(c *client.Client, w *sandboxAnswer, api *contract.API, d contract.Draft) (*prepared, error) {
	base, served := w.URLs[api.Name]
	if !served {
		return nil, unknown("the server at %s does not serve %s; it serves: %s", c.Base, api.Name, strings.Join(w.served(), ", "))
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the address of %s: %w", api.Name, err)
	}
	d.Host = u.Host
	d.Now = time.Now()
	if w.Clock.Signatures == clock.Sandbox {
		d.Now = w.Clock.Now
	}
	r, err := api.Sign(d)
	if err != nil {
		return nil, err
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	return &prepared{r, strings.TrimSuffix(base, "/") + r.Target}, nil
}

// served lists the APIs that the server serves.
func (w *sandboxAnswer) served() []string {
	var names []string
	for name := range w.URLs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *prepared) curl() string {
	return replay.Curl(r.Method, r.url, r.otherHost(), r.Header, r.Body)
}

// otherHost is the request's host where it is not the one of its address.
func (r *prepared) otherHost() string {
	if u, err := url.Parse(r.url); err == nil && u.Host == r.Host {
		return ""
	}
	return r.Host
}

// send sends the request, and prints it and its answer.
func (r *prepared) send(ctx context.Context, w io.Writer, api *contract.API, k *credentials) (*exchange, error) {
	q, err := http.NewRequestWithContext(ctx, r.Method, r.url, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "understudy/"+version)
	}
	q.Header = r.Header
	if r.Host != "" {
		q.Host = r.Host
	}
	request := replay.Message{Line: r.Method + " " + q.URL.RequestURI() + " HTTP/1.1", Host: q.Host, Header: r.Header, Body: r.Body}
	shown, _ := k.masked(api, request, replay.Message{})
	_, _ = fmt.Fprintln(w, shown.Text())
	answer, err := client.DirectHTTP(longestCall).Do(q)
	if err != nil {
		return nil, unanswered(r.url, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	shown, shownAnswer := k.masked(api, request, replay.Message{Line: replay.StatusLine(answer.StatusCode), Header: answer.Header, Body: body})
	_, _ = fmt.Fprint(w, shownAnswer.Text())
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	return exchangeOf(shown, shownAnswer), k.redactor.Error(own(answer, body))
}

// own returns the failure that an answer of understudy's own is.
func own(answer *http.Response, body []byte) error {
	if answer.StatusCode != gateway.StatusProblem {
		return nil
	}
	var p client.Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Detail == "" {
		return errors.New("understudy itself could not answer")
	}
	return fmt.Errorf("understudy itself could not answer: %s", p.Detail)
}

// unanswered says that no answer came. A scenario may have wanted just that.
func unanswered(address string, err error) error {
	address, _, _ = strings.Cut(address, "?") // which may hold a signature
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &exit{exitNoServer, fmt.Errorf("nothing answers at %s: %w", address, dial.Err)}
	}
	return fmt.Errorf("no answer came: %w", err)
}
