import type { Descriptions } from '../contract.js';

export const resource: Descriptions = {
  DeviceTaintRule: {
    Key: 'The taint key to be applied to a device. Must be a label name.',
    Value: 'The taint value corresponding to the taint key. Must be a label value.',
    Effect:
      'The effect of the taint on claims that do not tolerate the taint and through such claims on the pods using them.\n\nValid effects are None, NoSchedule and NoExecute. PreferNoSchedule as used for nodes is not valid here. More effects may get added in the future. Consumers must treat unknown effects like None.',
    TimeAdded:
      'TimeAdded represents the time at which the taint was added or (only in a DeviceTaintRule) the effect was modified. Added automatically during create or update if not set.\n\nIn addition, in a DeviceTaintRule a value provided during an update gets replaced with the current time if the provided value is the same as the old one and the new effect is different. Changing the key and/or value while keeping the effect unchanged is possible and does not update the time stamp because the eviction which uses it is either already started (NoExecute) or not started yet (NoEffect, NoSchedule).',
  },
  ResourceClaim: {
    State: 'A summary of the current state (allocated, pending, reserved, etc.).',
  },
  ResourcePoolStatusRequest: {
    Driver: 'The driver to query pools for.',
    Total: 'Total number of devices across all pools.',
    Available: 'Number of available devices across all pools.',
    Allocated: 'Number of allocated devices across all pools.',
    Unavailable: 'Number of unavailable devices across all pools.',
    Errors: 'Number of pools with validation errors.',
    Pools: 'Total number of matching pools.',
    Status: 'Processing status.',
    Completed: 'Time since the observation completed.',
  },
  ResourceSlice: {
    Node: 'NodeName identifies the node which provides the resources in this pool. A field selector can be used to list only ResourceSlice objects belonging to a certain node.\n\nThis field can be used to limit access from nodes to ResourceSlices with the same node name. It also indicates to autoscalers that adding new nodes of the same type as some old node might also make new resources available.\n\nExactly one of NodeName, NodeSelector, AllNodes, and PerDeviceNodeSelection must be set. This field is immutable.',
    Driver:
      'Driver identifies the DRA driver providing the capacity information. A field selector can be used to list only ResourceSlice objects with a certain driver name.\n\nMust be a DNS subdomain and should end with a DNS domain owned by the vendor of the driver. It should use only lower case characters. This field is immutable.',
    Pool: 'Name is used to identify the pool. For node-local devices, this is often the node name, but this is not required.\n\nIt must not be longer than 253 characters and must consist of one or more DNS sub-domains separated by slashes. This field is immutable.',
  },
};
