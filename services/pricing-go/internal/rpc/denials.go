package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	auditv1 "crossrate/pricing/internal/gen/auditv1"
	commonv1 "crossrate/pricing/internal/gen/commonv1"
	"crossrate/pricing/internal/mesh"
)

const (
	denialsStream  = "denials"
	denialsSubject = "crossrate.denials.v1."
	// kindsMax are the counts at once with a caller of their own; those beyond are counted for others.
	kindsMax      = 256
	others        = "*"
	actorCharsMax = 200
	// factsKeptMax are the facts that wait for NATS; those beyond are dropped, the oldest first, and counted in the log.
	factsKeptMax = 4096
	publishWait  = 2 * time.Second
	// lastWait is what the last facts of an instance that ends may take.
	lastWait = 2 * time.Second
)

// denied are the reasons that say who called, as crossrate.rpc.denials has them.
var denied = map[Reason]bool{
	commonv1.ErrorReason_ERROR_REASON_NO_IDENTITY:        true,
	commonv1.ErrorReason_ERROR_REASON_TOKEN_REFUSED:      true,
	commonv1.ErrorReason_ERROR_REASON_SESSION_REVOKED:    true,
	commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED: true,
	commonv1.ErrorReason_ERROR_REASON_STEP_UP_REQUIRED:   true,
}

type denialKind struct {
	method, actor string
	reason        Reason
}

type denialCount struct {
	calls       uint64
	first, last time.Time
}

// denials counts calls that were refused for who made them, until they are taken: who is refused cannot choose how much is kept.
type denials struct {
	mutex  sync.Mutex
	counts map[denialKind]*denialCount
}

func newDenials() *denials { return &denials{counts: map[denialKind]*denialCount{}} }

// note counts a call, if its reason says who called.
func (d *denials) note(method, actor string, reason Reason, at time.Time) {
	if !denied[reason] {
		return
	}
	kind := denialKind{method, first(actor, actorCharsMax), reason}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	count := d.counts[kind]
	if count == nil && len(d.counts) >= kindsMax {
		kind.actor = others
		count = d.counts[kind]
	}
	if count == nil {
		d.counts[kind] = &denialCount{1, at, at}
		return
	}
	count.calls++
	count.last = at
}

// take is everything counted, as facts; it begins anew.
func (d *denials) take() []*auditv1.CallsDenied {
	d.mutex.Lock()
	counts := d.counts
	d.counts = map[denialKind]*denialCount{}
	d.mutex.Unlock()
	var facts []*auditv1.CallsDenied
	for kind, count := range counts {
		facts = append(facts, &auditv1.CallsDenied{
			Method: kind.method, Actor: kind.actor, Reason: (&Failure{Reason: kind.reason}).Word(), Count: count.calls,
			FirstTime: timestamppb.New(count.first), LastTime: timestamppb.New(count.last),
			Place: auditv1.DenialPlace_DENIAL_PLACE_SERVICE,
		})
	}
	return facts
}

// teller publishes what was refused once a period, for the log of audit. What NATS did not take is kept with its id, so that
// the log has each fact once.
type teller struct {
	settings mesh.Settings
	log      *slog.Logger
	denials  *denials
	waiting  []*nats.Msg
	begun    int64
	number   int
}

func newTeller(settings mesh.Settings, log *slog.Logger, counted *denials) *teller {
	return &teller{settings: settings, log: log, denials: counted, begun: time.Now().UnixNano()}
}

// run tells until the context ends, and then once more, if NATS takes it soon.
func (t *teller) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), lastWait)
			defer cancel()
			if err := t.tell(last); err != nil {
				t.log.Warn("refused calls are not told any more", "facts", len(t.waiting), "error", err.Error())
			}
			return
		case <-time.After(t.settings.Denials):
			if err := t.tell(ctx); err != nil && ctx.Err() == nil {
				t.log.Warn("refused calls wait to be told", "facts", len(t.waiting), "error", err.Error())
			}
		}
	}
}

func (t *teller) collect() error {
	for _, fact := range t.denials.take() {
		payload, err := proto.Marshal(fact)
		if err != nil {
			return err
		}
		t.number++
		message := nats.NewMsg(denialsSubject + t.settings.Service)
		message.Data = payload
		message.Header.Set(nats.MsgIdHdr, fmt.Sprintf("%s:denied:%d:%d", t.settings.Instance, t.begun, t.number))
		message.Header.Set("Crossrate-Type", string(fact.ProtoReflect().Descriptor().FullName()))
		message.Header.Set("Crossrate-Time-Ns", strconv.FormatInt(fact.GetLastTime().AsTime().UnixNano(), 10))
		t.waiting = append(t.waiting, message)
	}
	if dropped := len(t.waiting) - factsKeptMax; dropped > 0 {
		t.waiting = t.waiting[dropped:]
		t.log.Error("refused calls were dropped that nobody could be told of", "facts", dropped)
	}
	return nil
}

func (t *teller) tell(ctx context.Context) error {
	if err := t.collect(); err != nil || len(t.waiting) == 0 {
		return err
	}
	connection, err := connectNATS(t.settings)
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := connection.JetStream()
	if err != nil {
		return err
	}
	for len(t.waiting) > 0 {
		limited, cancel := context.WithTimeout(ctx, publishWait)
		_, err := stream.PublishMsg(t.waiting[0], nats.Context(limited))
		cancel()
		if err != nil {
			return errors.Join(errors.New("JetStream did not take it"), err)
		}
		t.waiting = t.waiting[1:]
	}
	return nil
}
