// Package rpc is what happens around a handler: who calls, how long, what the contract asks of a request, how an error
// crosses the wire. It keeps the rules of crossrate.rpc, compiled from the same descriptors.
package rpc

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	commonv1 "crossrate/pricing/internal/gen/commonv1"
)

const (
	domain           = "crossrate"
	statusBytesMax   = 4096
	messageCharsMax  = 1024
	metadataCharsMax = 256
)

// Reason is why a call failed.
type Reason = commonv1.ErrorReason

// reasonCodes are the codes with which reasons travel, as the comments of common/v1/error.proto say.
var reasonCodes = map[Reason]codes.Code{
	commonv1.ErrorReason_ERROR_REASON_INVALID_REQUEST:        codes.InvalidArgument,
	commonv1.ErrorReason_ERROR_REASON_NOT_FOUND:              codes.NotFound,
	commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED:     codes.PermissionDenied,
	commonv1.ErrorReason_ERROR_REASON_NO_IDENTITY:            codes.Unauthenticated,
	commonv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED:      codes.DeadlineExceeded,
	commonv1.ErrorReason_ERROR_REASON_DEADLINE_TOO_SHORT:     codes.DeadlineExceeded,
	commonv1.ErrorReason_ERROR_REASON_TOO_MANY_REQUESTS:      codes.ResourceExhausted,
	commonv1.ErrorReason_ERROR_REASON_DEPENDENCY_UNAVAILABLE: codes.Unavailable,
	commonv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN:          codes.Unavailable,
	commonv1.ErrorReason_ERROR_REASON_INTERNAL:               codes.Internal,
	commonv1.ErrorReason_ERROR_REASON_OUTSIDE_CALENDAR:       codes.OutOfRange,
	commonv1.ErrorReason_ERROR_REASON_UNIMPLEMENTED:          codes.Unimplemented,
	commonv1.ErrorReason_ERROR_REASON_CANCELLED:              codes.Canceled,
	commonv1.ErrorReason_ERROR_REASON_STEP_UP_REQUIRED:       codes.PermissionDenied,
	commonv1.ErrorReason_ERROR_REASON_TOKEN_REFUSED:          codes.Unauthenticated,
	commonv1.ErrorReason_ERROR_REASON_SESSION_REVOKED:        codes.Unauthenticated,
}

// Violation is a field that breaks a rule: its path, what is wrong in words, the rule's id.
type Violation struct{ Field, Description, Rule string }

// Failure is a call that fails for a reason that its caller can understand.
type Failure struct {
	Reason     Reason
	Message    string
	Metadata   map[string]string
	Violations []Violation
	// RetryAfter says when another try makes sense; 0 where it does not.
	RetryAfter time.Duration
}

func (f *Failure) Error() string { return f.Word() + ": " + f.Message }

// Word is the reason without its prefix.
func (f *Failure) Word() string { return strings.TrimPrefix(f.Reason.String(), "ERROR_REASON_") }

// Code is the gRPC code that the reason travels with.
func (f *Failure) Code() codes.Code { return reasonCodes[f.Reason] }

func first(text string, chars int) string {
	if utf8.RuneCountInString(text) <= chars {
		return text
	}
	return string([]rune(text)[:chars])
}

// Status is the failure as it crosses the wire, at most statusBytesMax: violations that find no room are left out from the end,
// and the metadata say how many.
func (f *Failure) Status(requestID string) *spb.Status {
	status := &spb.Status{Code: int32(f.Code()), Message: first(f.Message, messageCharsMax)}
	info := &errdetails.ErrorInfo{Reason: f.Word(), Domain: domain, Metadata: map[string]string{}}
	for key, value := range f.Metadata {
		info.Metadata[key] = first(value, metadataCharsMax)
	}
	var others []proto.Message
	if f.RetryAfter > 0 {
		others = append(others, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	if requestID != "" {
		others = append(others, &errdetails.RequestInfo{RequestId: requestID})
	}
	details := []proto.Message{info}
	if len(f.Violations) > 0 {
		room := statusBytesMax - 256 - proto.Size(status) - proto.Size(info)
		for _, other := range others {
			room -= proto.Size(other)
		}
		bad := &errdetails.BadRequest{}
		for _, each := range f.Violations {
			entry := &errdetails.BadRequest_FieldViolation{
				Field:       first(each.Field, metadataCharsMax),
				Description: first(each.Description, messageCharsMax),
				Reason:      each.Rule,
			}
			if room -= proto.Size(entry) + 4; room < 0 {
				break
			}
			bad.FieldViolations = append(bad.FieldViolations, entry)
		}
		if left := len(f.Violations) - len(bad.FieldViolations); left > 0 {
			info.Metadata["violations_left_out"] = strconv.Itoa(left)
		}
		details = append(details, bad)
	}
	for _, detail := range append(details, others...) {
		packed, err := anypb.New(detail)
		if err != nil {
			panic(fmt.Sprintf("a detail of an error cannot be packed: %v", err))
		}
		status.Details = append(status.Details, packed)
	}
	return status
}

// Summarise is one sentence over some violations.
func Summarise(violations []Violation) string {
	var words []string
	for _, each := range violations[:min(3, len(violations))] {
		field := each.Field
		if field == "" {
			field = "request"
		}
		words = append(words, field+": "+each.Description)
	}
	text := strings.Join(words, "; ")
	if more := len(violations) - 3; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func failure(reason Reason, message string, pairs ...string) *Failure {
	metadata := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		metadata[pairs[i]] = pairs[i+1]
	}
	return &Failure{Reason: reason, Message: message, Metadata: metadata}
}

// Invalid says that the request breaks rules.
func Invalid(violations ...Violation) *Failure {
	return &Failure{
		Reason: commonv1.ErrorReason_ERROR_REASON_INVALID_REQUEST, Message: Summarise(violations), Violations: violations,
	}
}

// NotFound says that there is no resource of that name; remedy says what would be found, or where it is missed.
func NotFound(resource, name, remedy string) *Failure {
	message := fmt.Sprintf("no %s %s", resource, Quoted(name))
	if remedy != "" {
		message += ": " + remedy
	}
	return failure(commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, message, "resource", resource, "name", name)
}

// Quoted is a text in the quotes of Python's repr, as far as names of things go.
func Quoted(text string) string {
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `\'`) + "'"
}

// Outside says that a date lies outside of what is known, first to last.
func Outside(message, first, last string) *Failure {
	return failure(commonv1.ErrorReason_ERROR_REASON_OUTSIDE_CALENDAR, message, "first", first, "last", last)
}

// Unimplemented says that the server does not offer a method, or this use of it.
func Unimplemented(method, use string) *Failure {
	message := method + " is not implemented here"
	if use != "" {
		message += ": " + use
	}
	return failure(commonv1.ErrorReason_ERROR_REASON_UNIMPLEMENTED, message, "method", method)
}

// DependencyUnavailable says that something which the work needs cannot be reached.
func DependencyUnavailable(dependency string) *Failure {
	found := failure(
		commonv1.ErrorReason_ERROR_REASON_DEPENDENCY_UNAVAILABLE, dependency+" cannot be reached", "dependency", dependency,
	)
	found.RetryAfter = time.Second
	return found
}

func noIdentity(method string) *Failure {
	return failure(commonv1.ErrorReason_ERROR_REASON_NO_IDENTITY, "the call carries no identity", "method", method)
}

func callerNotAllowed(method, caller string) *Failure {
	message := fmt.Sprintf("%s may not call %s", caller, method)
	return failure(commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED, message, "method", method, "caller", caller)
}

func milliseconds(d time.Duration, places int) string {
	return strconv.FormatFloat(max(d.Seconds(), 0)*1e3, 'f', places, 64)
}

func deadlineExceeded(method string, budget time.Duration) *Failure {
	return failure(
		commonv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED, "the deadline passed while the work was under way",
		"method", method, "deadline_ms", milliseconds(budget, 0),
	)
}

func deadlineTooShort(method string, remaining, needed time.Duration) *Failure {
	return failure(
		commonv1.ErrorReason_ERROR_REASON_DEADLINE_TOO_SHORT, "the time left is too short to begin",
		"method", method, "remaining_ms", milliseconds(remaining, 1), "needed_ms", milliseconds(needed, 1),
	)
}

func tooManyRequests(limit int, retryAfter time.Duration) *Failure {
	found := failure(
		commonv1.ErrorReason_ERROR_REASON_TOO_MANY_REQUESTS, "the server is at its concurrency limit", "limit", strconv.Itoa(limit),
	)
	found.RetryAfter = retryAfter
	return found
}

func shuttingDown(instance string) *Failure {
	return failure(commonv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN, "the server is shutting down", "instance", instance)
}

func internal(requestID string) *Failure {
	message := "the server failed; its log says why under this request id"
	return failure(commonv1.ErrorReason_ERROR_REASON_INTERNAL, message, "request_id", requestID)
}

func cancelled(method string) *Failure {
	return failure(commonv1.ErrorReason_ERROR_REASON_CANCELLED, "the caller went away", "method", method)
}

func tokenRefused(method, why string) *Failure {
	message := fmt.Sprintf("the token is refused: %s; get a new one", why)
	return failure(commonv1.ErrorReason_ERROR_REASON_TOKEN_REFUSED, message, "method", method, "problem", why)
}

func sessionRevoked(method string) *Failure {
	message := "the session was ended or its grants have changed: get a new token"
	return failure(commonv1.ErrorReason_ERROR_REASON_SESSION_REVOKED, message, "method", method)
}

func stepUpRequired(method string, maxAge float64) *Failure {
	age := strconv.FormatFloat(maxAge, 'f', 0, 64)
	message := fmt.Sprintf("%s takes a second factor proved within %s s: prove it again, then repeat the call", method, age)
	return failure(
		commonv1.ErrorReason_ERROR_REASON_STEP_UP_REQUIRED, message, "method", method, "acr", "2", "max_age", age,
	)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
