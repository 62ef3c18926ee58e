package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"google.golang.org/protobuf/proto"

	identityv1 "crossrate/pricing/internal/gen/identityv1"
	"crossrate/pricing/internal/mesh"
)

const (
	identityStream = "identity"
	identityFacts  = "crossrate.identity.v1."
	// pollInterval is how often the stream is read even if nothing is announced.
	pollInterval = 2 * time.Second
	readTimeout  = 5 * time.Second
	readMax      = 256
	readBytesMax = 4 << 20
	pauseMin     = 50 * time.Millisecond
	pauseMax     = 5 * time.Second
)

var revoking = []string{identityFacts + "session_revoked.*", identityFacts + "grants_changed.*"}

// follower keeps the revocations up to date: the stream's last minutes at the start, then every fact as it comes. It reads by
// position with direct gets, and leaves nothing behind in the server.
type follower struct {
	settings    mesh.Settings
	log         *slog.Logger
	revocations *revocations
	after       map[string]uint64
	wake        chan struct{}
}

func newFollower(settings mesh.Settings, log *slog.Logger, kept *revocations) *follower {
	return &follower{settings, log, kept, map[string]uint64{}, make(chan struct{}, 1)}
}

// run follows until the context ends.
func (f *follower) run(ctx context.Context) {
	pause := pauseMin
	for ctx.Err() == nil {
		err := f.follow(ctx, func() { pause = pauseMin })
		if ctx.Err() != nil {
			return
		}
		if !f.revocations.known() && pause == pauseMin || pause == pauseMax {
			f.log.Warn("revocations are not followed; trying again", "error", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, pauseMax)
	}
}

func (f *follower) follow(ctx context.Context, read func()) error {
	connection, err := connectNATS(f.settings)
	if err != nil {
		return err
	}
	defer connection.Close()
	for _, subject := range revoking {
		if _, err := connection.Subscribe(subject, func(*nats.Msg) { f.announced() }); err != nil {
			return err
		}
	}
	for {
		for _, subject := range revoking {
			if err := f.catchUp(ctx, connection, subject); err != nil {
				return err
			}
		}
		f.revocations.finish()
		read()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.wake:
		case <-time.After(pollInterval):
		}
	}
}

func (f *follower) announced() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// connectNATS connects as the service, which may read and write what the topology names.
func connectNATS(settings mesh.Settings) (*nats.Conn, error) {
	secret, err := settings.NATS()
	if err != nil {
		return nil, err
	}
	if secret == nil {
		return nil, errors.New("the service has no credentials for NATS")
	}
	pair, err := nkeys.FromSeed([]byte(secret.Seed))
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	return nats.Connect(
		secret.URL,
		nats.Name(settings.Instance),
		nats.Nkey(public, pair.Sign),
		nats.CustomInboxPrefix(secret.InboxPrefix),
		nats.Timeout(2*time.Second),
		nats.PingInterval(10*time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200*time.Millisecond),
		nats.ReconnectBufSize(-1),
	)
}

// catchUp takes everything of a subject that is new; the first time, what a token could still be older than.
func (f *follower) catchUp(ctx context.Context, connection *nats.Conn, subject string) error {
	for {
		page, err := f.read(ctx, connection, subject)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, each := range page {
			sequence, err := strconv.ParseUint(each.Header.Get("Nats-Sequence"), 10, 64)
			if err != nil {
				return fmt.Errorf("stream %s: a message has no number: %w", identityStream, err)
			}
			if err := f.take(each); err != nil {
				return err
			}
			f.after[subject] = sequence
		}
	}
}

func (f *follower) read(ctx context.Context, connection *nats.Conn, subject string) ([]*nats.Msg, error) {
	query := map[string]any{"batch": readMax, "max_bytes": readBytesMax, "next_by_subj": subject}
	if after := f.after[subject]; after > 0 {
		query["seq"] = after + 1
	} else {
		query["start_time"] = time.Now().UTC().Add(-keepSeconds * time.Second).Format(time.RFC3339Nano)
	}
	body, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	inbox := connection.NewInbox()
	answers, err := connection.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := connection.PublishRequest("$JS.API.DIRECT.GET."+identityStream, inbox, body); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var page []*nats.Msg
	for {
		answer, err := answers.NextMsgWithContext(limited)
		if err != nil {
			return nil, fmt.Errorf("stream %s was not read: %w", identityStream, err)
		}
		switch status := answer.Header.Get("Status"); status {
		case "":
			page = append(page, answer)
		case "204", "404":
			return page, nil
		default:
			return nil, fmt.Errorf("stream %s: JetStream answered %s", identityStream, status)
		}
	}
}

func (f *follower) take(message *nats.Msg) error {
	at, err := time.Parse(time.RFC3339Nano, message.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return fmt.Errorf("stream %s: a message has no time: %w", identityStream, err)
	}
	seconds := float64(at.UnixNano()) / 1e9
	if nanos, err := strconv.ParseInt(message.Header.Get("Crossrate-Time-Ns"), 10, 64); err == nil && nanos > 0 {
		seconds = float64(nanos) / 1e9
	}
	subject := message.Header.Get("Nats-Subject")
	kind, name, _ := strings.Cut(strings.TrimPrefix(subject, identityFacts), ".")
	if kind == "session_revoked" {
		f.revocations.endSession(name, seconds)
		return nil
	}
	// Up to which `iat` tokens do not know the grants. Where it cannot be read: when they changed and a second on. Rather one token
	// too many is refused than one too few.
	until := seconds + 1
	var change identityv1.GrantsChanged
	if proto.Unmarshal(message.Data, &change) == nil && change.GetSubject() != "" {
		until = float64(change.GetIssuedUntil())
	} else {
		f.log.Error("a change of grants cannot be read", "subject", subject)
	}
	f.revocations.changeGrants(name, until)
	return nil
}
