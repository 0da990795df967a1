import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { edit, list, ptr } from '../access.js';
import type { Converter, ConverterTable } from './index.js';
import { moveFields } from './rename.js';

// resource.k8s.io/v1beta1 differs from the later versions in two places: a request holds the fields that stand in
// `exactly` since, and a device holds its own in `basic`.

const OLD = 'resource.k8s.io/v1beta1';

const EXACT = ['deviceClassName', 'selectors', 'allocationMode', 'count', 'adminAccess', 'tolerations', 'capacity'];
const BASIC = [
  ...['attributes', 'capacity', 'consumesCounters', 'nodeName', 'nodeSelector', 'allNodes', 'taints', 'bindsToNode'],
  ...['bindingConditions', 'bindingFailureConditions', 'allowMultipleAllocations', 'nodeAllocatableResourceMappings'],
];

function nest(holder: JsonObject, name: string, fields: readonly string[]): void {
  const inner: JsonObject = {};
  moveFields(holder, inner, fields);
  if (Object.keys(inner).length > 0) holder[name] = inner;
}
function flatten(holder: JsonObject, name: string, fields: readonly string[]): void {
  const inner = ptr(holder, name);
  delete holder[name];
  if (inner) moveFields(inner, holder, fields);
}

const requests = (spec: JsonObject | undefined) => list(ptr(spec, 'devices'), 'requests');
const claimSpec = (claim: KubeObject) => ptr(claim, 'spec');
const templateSpec = (template: KubeObject) => ptr(ptr(template, 'spec'), 'spec');

function claimConverters(specOf: (object: KubeObject) => JsonObject | undefined): { up: Converter; down: Converter } {
  return {
    up: (object) => {
      for (const request of requests(specOf(object))) nest(request, 'exactly', EXACT);
    },
    down: (object) => {
      for (const request of requests(specOf(object))) flatten(request, 'exactly', EXACT);
    },
  };
}

const slice = {
  up(object: KubeObject): void {
    for (const device of list(ptr(object, 'spec'), 'devices')) flatten(device, 'basic', BASIC);
  },
  down(object: KubeObject): void {
    edit(object, 'spec', (spec) => {
      // Pointers since: "" and false were unset before.
      if (spec.nodeName === '') delete spec.nodeName;
      if (spec.allNodes === false) delete spec.allNodes;
    });
    for (const device of list(ptr(object, 'spec'), 'devices')) {
      const basic: JsonObject = {};
      moveFields(device, basic, BASIC);
      device.basic = basic;
    }
  },
};

function table(converters: { up: Converter; down: Converter }): ConverterTable {
  const out: Record<string, Converter> = {};
  for (const version of ['resource.k8s.io/v1', 'resource.k8s.io/v1beta2']) {
    out[`${OLD}→${version}`] = converters.up;
    out[`${version}→${OLD}`] = converters.down;
  }
  return out;
}

export const resourceClaim = table(claimConverters(claimSpec));
export const resourceClaimTemplate = table(claimConverters(templateSpec));
export const resourceSlice = table(slice);
