// Package domain prices exchanges of two currencies: spot, forwards, swaps and non-deliverable forwards.
//
// It is services/pricing/domain in another language, operation by operation: the same products on the same market have the
// same answer in every bit. A product of two numbers that is added to something is written float64(a*b), because Go may
// otherwise fuse the two steps on some processors and round once.
package domain

import "fmt"

// Refused says that an argument cannot be used.
type Refused struct {
	// Field is its path in the request ("product.forward.value_date").
	Field string
	// Words say what is wrong and what would be right.
	Words string
}

func (e *Refused) Error() string { return e.Field + ": " + e.Words }

// Missing says that the market lacks something that the price needs.
type Missing struct{ Resource, Name, Remedy string }

func (e *Missing) Error() string {
	return fmt.Sprintf("the market has no %s of %s", e.Resource, e.Name)
}

// NotOffered says that this program does not price something, which another version may.
type NotOffered string

func (e NotOffered) Error() string { return string(e) }
