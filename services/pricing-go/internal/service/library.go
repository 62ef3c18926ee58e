package service

import (
	"context"

	"crossrate/pricing/internal/domain"
)

// Nothing is a library without snapshots.
type Nothing struct{}

// Found is always NotOffered.
func (Nothing) Found(context.Context, string) (*domain.Snapshot, error) {
	return nil, domain.NotOffered("this version prices on flat markets that requests give")
}
