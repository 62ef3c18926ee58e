// Package service is the gRPC surface: the part of the pricing contract that a pricer of exchanges can answer.
package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"crossrate/pricing/internal/basics"
	"crossrate/pricing/internal/domain"
	pricingv1 "crossrate/pricing/internal/gen/pricingv1"
	"crossrate/pricing/internal/rpc"
)

const (
	priceMethod    = "crossrate.api.pricing.v1.PricingService/Price"
	productsMethod = "crossrate.api.pricing.v1.PricingService/PriceProducts"
	offers         = "this version prices spot, forward, swap and ndf"
)

// Library finds snapshots that were kept.
type Library interface {
	// Found is a snapshot with its curves; *domain.Missing if there is none of that id.
	Found(ctx context.Context, id string) (*domain.Snapshot, error)
}

// Prices is PricingService for exchanges of two currencies; every other method answers UNIMPLEMENTED.
type Prices struct {
	pricingv1.UnimplementedPricingServiceServer
	Library Library
	// Now is the clock, in UTC.
	Now func() time.Time
}

// Price is the worth of one product; see the contract.
func (p *Prices) Price(ctx context.Context, request *pricingv1.PriceRequest) (*pricingv1.PriceResponse, error) {
	answer, err := p.price(ctx, request)
	return answer, failure(priceMethod, err)
}

func (p *Prices) price(ctx context.Context, request *pricingv1.PriceRequest) (*pricingv1.PriceResponse, error) {
	if _, kept := request.GetMarket().(*pricingv1.PriceRequest_SnapshotId); !kept {
		return p.onFlat(request.GetProduct(), request.GetFlatMarket(), request.GetReportingCurrency(), p.Now())
	}
	snapshot, err := p.Library.Found(ctx, request.GetSnapshotId())
	if err != nil {
		return nil, err
	}
	return on(snapshot, request.GetProduct(), request.GetReportingCurrency())
}

// PriceProducts is the worth of many products, for each its price or its error; see the contract.
func (p *Prices) PriceProducts(
	ctx context.Context, request *pricingv1.PriceProductsRequest,
) (*pricingv1.PriceProductsResponse, error) {
	if most := americansMax; americans(request) > most {
		words := fmt.Sprintf("has %d American options: give at most %d and the others in further calls", americans(request), most)
		return nil, rpc.Invalid(rpc.Violation{Field: "products", Description: words})
	}
	var snapshot *domain.Snapshot
	if id := request.GetSnapshotId(); id != "" {
		found, err := p.Library.Found(ctx, id)
		if err != nil {
			return nil, failure(productsMethod, err)
		}
		snapshot = found
	}
	now, answer := p.Now(), &pricingv1.PriceProductsResponse{}
	for i, each := range request.GetProducts() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		price, err := p.one(each, snapshot, request.GetReportingCurrency(), now)
		if err == nil {
			answer.Results = append(answer.Results, &pricingv1.PricedProduct{Result: &pricingv1.PricedProduct_Price{Price: price}})
			continue
		}
		var found *rpc.Failure
		if err = failure(productsMethod, err); !errors.As(err, &found) {
			return nil, err
		}
		result := &pricingv1.PricedProduct_Error{Error: moved(found, i).Status("")}
		answer.Results = append(answer.Results, &pricingv1.PricedProduct{Result: result})
	}
	return answer, nil
}

const americansMax = 100

func americans(request *pricingv1.PriceProductsRequest) (count int) {
	for _, each := range request.GetProducts() {
		if each.GetProduct().GetAmerican() != nil {
			count++
		}
	}
	return count
}

func (p *Prices) one(
	each *pricingv1.ProductOnMarket, snapshot *domain.Snapshot, currency string, now time.Time,
) (*pricingv1.PriceResponse, error) {
	if each.GetFlatMarket() != nil {
		return p.onFlat(each.GetProduct(), each.GetFlatMarket(), currency, now)
	}
	if snapshot == nil {
		words := "is not given, and the request names no snapshot_id: give one of them"
		return nil, &domain.Refused{Field: "flat_market", Words: words}
	}
	return on(snapshot, each.GetProduct(), currency)
}

// moved is the failure of a product of a list, with its place before the names of fields.
func moved(found *rpc.Failure, place int) *rpc.Failure {
	there := *found
	there.Violations = nil
	for _, each := range found.Violations {
		each.Field = fmt.Sprintf("products[%d].%s", place, each.Field)
		there.Violations = append(there.Violations, each)
	}
	if len(there.Violations) > 0 {
		there.Message = rpc.Summarise(there.Violations)
	}
	there.RetryAfter = 0
	return &there
}

func (p *Prices) onFlat(
	product *pricingv1.Product, given *pricingv1.FlatMarket, currency string, now time.Time,
) (*pricingv1.PriceResponse, error) {
	asOf := now.UTC().Truncate(time.Microsecond)
	if given.GetAsOf() != nil {
		moment, err := momentOf(given.GetAsOf(), "flat_market.as_of")
		if err != nil {
			return nil, err
		}
		asOf = moment
	}
	if err := offered(product); err != nil {
		return nil, err
	}
	pair, err := pairOf(product.GetInstrument())
	if err != nil {
		return nil, err
	}
	market := domain.FlatMarket(pair, asOf, given.GetSpot(), given.GetDomesticRate(), given.GetForeignRate())
	return on(market, product, currency)
}

func on(snapshot *domain.Snapshot, product *pricingv1.Product, currency string) (*pricingv1.PriceResponse, error) {
	if err := offered(product); err != nil {
		return nil, err
	}
	pair, err := pairOf(product.GetInstrument())
	if err != nil {
		return nil, err
	}
	standing, err := snapshot.Of(pair)
	if err != nil {
		return nil, err
	}
	legs, err := legsOf(product, standing)
	if err != nil {
		return nil, err
	}
	price, err := snapshot.Price(standing, legs, currency)
	if err != nil {
		return nil, err
	}
	return answerOf(price, standing, snapshot), nil
}

// offered says whether this version prices a product at all.
func offered(product *pricingv1.Product) error {
	switch product.GetTerms().(type) {
	case *pricingv1.Product_Spot, *pricingv1.Product_Forward, *pricingv1.Product_Swap, *pricingv1.Product_Ndf:
		return nil
	}
	return domain.NotOffered(offers)
}

func legsOf(product *pricingv1.Product, standing *domain.Standing) ([]domain.Exchange, error) {
	switch terms := product.GetTerms().(type) {
	case *pricingv1.Product_Spot:
		return []domain.Exchange{standing.OnSpot(terms.Spot.GetNotional(), terms.Spot.Rate)}, nil
	case *pricingv1.Product_Forward:
		given := terms.Forward
		leg, err := standing.Delivered(domain.Terms{
			ValueDate: given.GetValueDate(), Field: "product.forward.value_date", Notional: given.GetNotional(), Rate: given.Rate,
		})
		return []domain.Exchange{leg}, err
	case *pricingv1.Product_Ndf:
		given := terms.Ndf
		leg, err := standing.Fixed(domain.Terms{
			ValueDate: given.GetValueDate(), Field: "product.ndf.value_date", Notional: given.GetNotional(), Rate: given.Rate,
		})
		return []domain.Exchange{leg}, err
	}
	given := product.GetSwap()
	near, err := standing.Delivered(domain.Terms{
		Name: "near", ValueDate: given.GetNearDate(), Field: "product.swap.near_date", Notional: -given.GetNotional(),
		Rate: given.NearRate,
	})
	if err != nil {
		return nil, err
	}
	far, err := standing.Delivered(domain.Terms{
		Name: "far", ValueDate: given.GetFarDate(), Field: "product.swap.far_date", Notional: given.GetNotional(), Rate: given.FarRate,
	})
	if err != nil {
		return nil, err
	}
	return domain.Swap(near, far, "product.swap.far_date")
}

// failure is what the domain refuses, as a failure of the contract.
func failure(method string, err error) error {
	var refused *domain.Refused
	var missing *domain.Missing
	var outside *basics.OutsideCalendar
	var notOffered domain.NotOffered
	switch {
	case errors.As(err, &refused):
		return rpc.Invalid(rpc.Violation{Field: refused.Field, Description: refused.Words})
	case errors.As(err, &missing):
		return rpc.NotFound(missing.Resource, missing.Name, missing.Remedy)
	case errors.As(err, &outside):
		return rpc.Outside(outside.Error(), outside.First.String(), outside.Last.String())
	case errors.As(err, &notOffered):
		return rpc.Unimplemented(method, string(notOffered))
	}
	return err
}

func answerOf(price *domain.Price, standing *domain.Standing, snapshot *domain.Snapshot) *pricingv1.PriceResponse {
	answer := &pricingv1.PriceResponse{
		Valuation:          valuationMessage(price.Total),
		ParRate:            price.ParRate,
		ParPoints:          price.ParPoints,
		ReportingCurrency:  price.Currency,
		ReportingRate:      price.ReportingRate,
		ReportingValue:     price.ReportedWorth,
		TradeDate:          dateMessage(standing.Dates.TradeDate),
		SpotDate:           dateMessage(standing.Dates.Spot),
		SnapshotId:         snapshot.ID,
		AsOf:               timestamppb.New(snapshot.AsOf),
		Model:              pricingv1.Model_MODEL_DISCOUNTED_FORWARD,
		Deltas:             deltasMessage(price.Deltas),
		ReportingValuation: valuationMessage(price.Reported),
	}
	for _, leg := range price.Legs {
		answer.Legs = append(answer.Legs, legMessage(leg))
	}
	return answer
}
