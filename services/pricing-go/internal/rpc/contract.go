package rpc

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	policyv1 "crossrate/pricing/internal/gen/policyv1"
)

// requestBytesMax is the largest request of a method whose policy names no size.
const requestBytesMax = 1 << 20

// Contract is one method and what its contract decides here.
type Contract struct {
	// Name is the wire path without its leading slash.
	Name, Workload  string
	Roles, Services map[string]bool
	Deadline        time.Duration
	ServerStreaming bool
	Reserved        bool
	StepUp          bool
	RequestBytesMax int
	Input           protoreflect.MessageDescriptor
	// NamesGrants says that requests name accounts, instruments or desks.
	NamesGrants bool
	// Housekeeping methods, health and reflection, are open to every identity, outside of limits and deadlines.
	Housekeeping bool
}

// contractOf is the contract of a method, from the descriptors that are built in. A method without a policy is none.
func contractOf(service, method string) (*Contract, error) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("%s is not in the contracts: %w", service, err)
	}
	descriptor := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method))
	if descriptor == nil {
		return nil, fmt.Errorf("%s/%s is not in the contracts", service, method)
	}
	contract := &Contract{
		Name:            service + "/" + method,
		Input:           descriptor.Input(),
		ServerStreaming: descriptor.IsStreamingServer(),
		RequestBytesMax: requestBytesMax,
	}
	if strings.HasPrefix(service, "grpc.") {
		contract.Housekeeping = true
		return contract, nil
	}
	policy, _ := proto.GetExtension(descriptor.Options(), policyv1.E_Method).(*policyv1.MethodPolicy)
	if policy == nil || policy.GetDeadline().AsDuration() <= 0 {
		return nil, fmt.Errorf("%s has no policy or no deadline", contract.Name)
	}
	contract.Workload = strings.Split(strings.TrimPrefix(service, "crossrate.api."), ".")[0]
	contract.Roles, contract.Services = map[string]bool{}, map[string]bool{}
	for _, role := range policy.GetRoles() {
		contract.Roles[strings.ToLower(strings.TrimPrefix(role.String(), "ROLE_"))] = true
	}
	for _, caller := range policy.GetServices() {
		contract.Services[caller] = true
	}
	contract.Deadline = policy.GetDeadline().AsDuration()
	contract.Reserved = policy.GetPriority() == policyv1.Priority_PRIORITY_RESERVED
	contract.StepUp = policy.GetStepUp()
	if most := int(policy.GetMaxRequestBytes()); most > 0 {
		contract.RequestBytesMax = most
	}
	contract.NamesGrants = len(policy.GetAccountFields())+len(policy.GetInstrumentFields())+len(policy.GetDeskFields()) > 0
	return contract, nil
}
