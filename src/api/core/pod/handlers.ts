import { forbiddenField, invalidValue, type Path } from '../../../machinery/field.js';
import type { JsonObject } from '../../../machinery/json.js';
import {
  exactlyOne,
  formats,
  ifPresent,
  invalidEach,
  nonNegative,
  oneOf,
  portNumberOrName,
  type Rule,
  required,
  satisfies,
  struct,
  whole,
} from '../../validation/index.js';
import type { PodCheck } from './check.js';

const header: Rule = (v, at, c) => {
  const name = (v as JsonObject).name;
  invalidEach(c, at, name ?? '', formats.httpHeaderName(typeof name === 'string' ? name : ''));
};

const actions = {
  exec: struct<PodCheck>('core.v1.ExecAction', { command: required() }),
  httpGet: struct<PodCheck>('core.v1.HTTPGetAction', {
    path: required(),
    port: portNumberOrName,
    scheme: oneOf('HTTP', 'HTTPS'),
    // Reported at the list: see the recorded answers.
    httpHeaders: (v, at, c) => {
      if (Array.isArray(v)) for (const h of v) header(h, at, c);
    },
  }),
  tcpSocket: struct<PodCheck>('core.v1.TCPSocketAction', { port: portNumberOrName }),
};

const probeHandler = exactlyOne<PodCheck>('handler', {
  ...actions,
  grpc: struct<PodCheck>('core.v1.GRPCAction', { port: portNumberOrName }),
});

const sleep: Rule<PodCheck> = (v, at, c) => {
  const seconds = Number((v as JsonObject).seconds ?? 0);
  const grace = c.spec.terminationGracePeriodSeconds;
  if (grace === undefined || grace === null) return;
  if (seconds < 0 || seconds > Number(grace))
    c.errors.push(
      invalidValue(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`),
    );
};
const lifecycleHandler = exactlyOne<PodCheck>('handler', { ...actions, sleep });

/** Container signals of Linux, and the two that Windows knows. */
export const lifecycle = struct<PodCheck>('core.v1.Lifecycle', {
  postStart: ifPresent(lifecycleHandler),
  preStop: ifPresent(lifecycleHandler),
});

const probe = struct<PodCheck>('core.v1.Probe', {
  $handler: whole((o, at, c) => probeHandler(o, at, c)),
  initialDelaySeconds: nonNegative,
  timeoutSeconds: nonNegative,
  periodSeconds: nonNegative,
  successThreshold: nonNegative,
  failureThreshold: nonNegative,
  terminationGracePeriodSeconds: ifPresent(satisfies((n) => n > 0, 'must be greater than 0')),
});

const onceIsEnough = struct<PodCheck>('core.v1.Probe', { successThreshold: satisfies((n) => n === 1, 'must be 1') });
const noGracePeriod = struct<PodCheck>('core.v1.Probe', {
  terminationGracePeriodSeconds: ifPresent((v, at, c) =>
    c.errors.push(invalidValue(at, v, 'must not be set for readinessProbes')),
  ),
});
export const livenessProbe = ifPresent(probe, onceIsEnough);
export const readinessProbe = ifPresent(probe, noGracePeriod);
export const startupProbe = livenessProbe;

/** Refuses what only long-running containers have. */
export function noProbes(container: JsonObject, at: Path, c: PodCheck): void {
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
    if (container[name] !== undefined)
      c.errors.push(forbiddenField(at.child(name), 'may not be set for init containers without restartPolicy=Always'));
}
