import { Path } from '../../../machinery/field.js';
import type { JsonObject, ObjectMeta } from '../../../machinery/json.js';
import { list, obj } from '../../access.js';
import { type Check, newCheck, unreservedPath } from '../../validation/index.js';
import { affinity, topologySpread } from '../scheduling.js';
import { type Leniency, type PodCheck, STRICT } from './check.js';
import { dividesIntoPages, isHugePages, quantity } from './resources.js';
import { podSecurityContext, visitContainers } from './security.js';

const NOWHERE = new Path();

/** Whether a check finds faults that only this leniency would overlook. */
function differs(check: (c: Check & { lenient: Leniency }) => void, name: keyof Leniency): boolean {
  const run = (lenient: Leniency) => {
    const c = { ...newCheck(() => true), lenient };
    check(c);
    return c.errors.length;
  };
  return run(STRICT) > run({ ...STRICT, [name]: true });
}

/**
 * What the stored spec already has and may therefore keep: rules that came later do not block the update of an object
 * that was accepted before them.
 */
export function leniencyOf(spec: JsonObject | undefined, meta: ObjectMeta | undefined): Leniency {
  if (!spec) return STRICT;
  const affinityFaults = (c: Check & { lenient: Leniency }) => {
    if (spec.affinity !== undefined) affinity(spec.affinity, NOWHERE, c);
  };
  const cost = meta?.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  const podCheck = (c: Check & { lenient: Leniency }): PodCheck => ({
    ...c,
    spec,
    pod: undefined,
    volumes: new Map(),
    claims: new Set(),
    hostUsers: true,
  });
  return {
    deletionCost: cost !== undefined && !/^(0|-?[1-9][0-9]{0,9})$/.test(cost),
    selectorValues: differs(affinityFaults, 'selectorValues'),
    nodeAffinityValues: differs(affinityFaults, 'nodeAffinityValues'),
    spreadSelectors: differs((c) => topologySpread(spec.topologySpreadConstraints, NOWHERE, c), 'spreadSelectors'),
    hostSysctls: differs((c) => podSecurityContext(spec.securityContext, NOWHERE, podCheck(c)), 'hostSysctls'),
    tokenPaths: hasOddTokenPath(spec),
    hugePages: hasOddHugePages(spec),
  };
}

function hasOddTokenPath(spec: JsonObject): boolean {
  const c = newCheck(() => true);
  for (const volume of list(spec, 'volumes'))
    for (const source of list(obj(volume, 'projected'), 'sources'))
      unreservedPath(obj(source, 'serviceAccountToken').path ?? '', NOWHERE, c);
  return c.errors.length > 0;
}

function hasOddHugePages(spec: JsonObject): boolean {
  let odd = false;
  visitContainers(spec, NOWHERE, (container) => {
    for (const side of ['limits', 'requests'])
      for (const [name, amount] of Object.entries(obj(obj(container, 'resources'), side)))
        odd ||= isHugePages(name) && !dividesIntoPages(name, quantity(amount));
  });
  return odd;
}
