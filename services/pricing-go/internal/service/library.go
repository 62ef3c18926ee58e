package service

import (
	"container/list"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/proto"

	"crossrate/pricing/internal/basics"
	"crossrate/pricing/internal/domain"
	pricingv1 "crossrate/pricing/internal/gen/pricingv1"
	"crossrate/pricing/internal/rpc"
)

const (
	snapshotsHeldMax = 256
	connectionsMax   = 4
	undefinedTable   = "42P01"
)

// Nothing is a library without snapshots, of a mesh in which pricing has no schema.
type Nothing struct{}

// Found is always NotOffered.
func (Nothing) Found(context.Context, string) (*domain.Snapshot, error) {
	return nil, domain.NotOffered("this instance has no database: give a flat market")
}

// Kept reads snapshots that were kept, from the schema of the service, and never writes there. What is held is right for ever,
// because a snapshot and its market never change; the one that was asked for longest ago goes first.
type Kept struct {
	pool  *pgxpool.Pool
	mutex sync.Mutex
	order *list.List
	held  map[string]*list.Element
}

// OpenKept is a library on a database; nothing is opened before it is needed.
func OpenKept(ctx context.Context, dsn, instance string) (*Kept, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MaxConnIdleTime = connectionsMax, time.Minute
	config.ConnConfig.RuntimeParams["application_name"] = instance
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Kept{pool: pool, order: list.New(), held: map[string]*list.Element{}}, nil
}

// Close gives the connections back.
func (k *Kept) Close() { k.pool.Close() }

// Found is a snapshot with its curves.
func (k *Kept) Found(ctx context.Context, id string) (*domain.Snapshot, error) {
	key := strings.ToLower(id)
	if found := k.shelf(key); found != nil {
		return found, nil
	}
	var kept pricingv1.Snapshot
	switch found, err := k.read(ctx, &kept, "SELECT content FROM snapshot WHERE id = $1::text::uuid", key); {
	case err != nil:
		return nil, err
	case !found:
		return nil, &domain.Missing{Resource: "snapshot", Name: id}
	}
	var market pricingv1.Market
	query := "SELECT content FROM market_version WHERE name = $1 AND version = $2"
	switch found, err := k.read(ctx, &market, query, kept.GetMarket(), kept.GetMarketVersion()); {
	case err != nil:
		return nil, err
	case !found:
		panic("snapshot " + key + " names a market that is not kept")
	}
	return k.hold(key, snapshotOf(&kept, &market)), nil
}

func (k *Kept) read(ctx context.Context, into proto.Message, query string, arguments ...any) (found bool, err error) {
	var content []byte
	err = k.pool.QueryRow(ctx, query, arguments...).Scan(&content)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return true, proto.Unmarshal(content, into)
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &refused) && refused.Code != undefinedTable && !strings.HasPrefix(refused.Code, "57"):
		return false, err
	}
	return false, rpc.DependencyUnavailable("postgres")
}

type shelved struct {
	key      string
	snapshot *domain.Snapshot
}

func (k *Kept) shelf(key string) *domain.Snapshot {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	place, found := k.held[key]
	if !found {
		return nil
	}
	k.order.MoveToFront(place)
	return place.Value.(shelved).snapshot
}

func (k *Kept) hold(key string, snapshot *domain.Snapshot) *domain.Snapshot {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if place, found := k.held[key]; found {
		return place.Value.(shelved).snapshot
	}
	k.held[key] = k.order.PushFront(shelved{key, snapshot})
	if k.order.Len() > snapshotsHeldMax {
		last := k.order.Back()
		delete(k.held, k.order.Remove(last).(shelved).key)
	}
	return snapshot
}

// snapshotOf is a snapshot with its market; spot rates are mids.
func snapshotOf(kept *pricingv1.Snapshot, market *pricingv1.Market) *domain.Snapshot {
	spots := map[basics.Pair]float64{}
	for _, each := range kept.GetSpots() {
		base, counter, _ := strings.Cut(each.GetInstrument(), "/")
		spots[basics.Pair{Base: base, Counter: counter}] = (each.GetBid() + each.GetAsk()) / 2
	}
	pillars, others := map[string]*domain.Curve{}, map[string]string{}
	for _, each := range market.GetCurves() {
		switch cubic := pricingv1.CurveInterpolation_CURVE_INTERPOLATION_MONOTONE_CUBIC; {
		case each.GetRates() != nil:
			others[each.GetCurrency()] = "rates of the money market"
		case each.GetSwapPoints() != nil:
			others[each.GetCurrency()] = "swap points"
		case each.GetInterpolation() == cubic:
			others[each.GetCurrency()] = "a monotone cubic"
		default:
			pillars[each.GetCurrency()] = &domain.Curve{Times: each.GetTime(), Rates: each.GetRate()}
		}
	}
	known := domain.Curves(pillars)
	return &domain.Snapshot{
		ID:    kept.GetId(),
		AsOf:  kept.GetAsOf().AsTime().Truncate(time.Microsecond),
		Spots: spots,
		Curve: func(currency string) (*domain.Curve, error) {
			if form, other := others[currency]; other {
				return nil, domain.NotOffered("the market's curve of " + currency + " is " + form + "; this version reads pillars")
			}
			return known(currency)
		},
	}
}
