package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	instancev1 "crossrate/pricing/internal/gen/instancev1"
)

// instance is InstanceService: what the instance tells the control plane about itself. It shows no messages and hands on no
// calls; both answer UNIMPLEMENTED, and control asks another instance.
type instance struct {
	instancev1.UnimplementedInstanceServiceServer
	server *Server
}

// DescribeInstance is what this instance is and how it does.
func (i *instance) DescribeInstance(
	_ context.Context, _ *instancev1.DescribeInstanceRequest,
) (*instancev1.DescribeInstanceResponse, error) {
	settings := i.server.settings
	answer := &instancev1.DescribeInstanceResponse{
		Service: settings.Service, Instance: settings.Instance, Version: settings.Version,
		// The call that asks is under way itself.
		CallsInFlight: uint32(max(0, i.server.admission.inFlight()-1)),
	}
	if ready, _ := i.server.ready.Load().(time.Time); !ready.IsZero() {
		answer.ReadyTime = timestamppb.New(ready)
	}
	return answer, nil
}

// CheckConfig is whether values would be accepted as live configuration. Those of pricing are about quotes and streams, which this
// program does not serve: it takes whatever is in force, and leaves what would be wrong with it to the instances that read it.
func (i *instance) CheckConfig(
	_ context.Context, request *instancev1.CheckConfigRequest,
) (*instancev1.CheckConfigResponse, error) {
	return &instancev1.CheckConfigResponse{Config: request.GetConfig()}, nil
}
