import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../../machinery/field.js';
import { getOwn, type JsonObject, type ObjectMeta } from '../../../machinery/json.js';
import { bool, list, obj, ptr, str, strings } from '../../access.js';
import { aggregateContainers } from '../../defaulting/special.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  each,
  format,
  formats,
  goForm,
  ifPresent,
  ifSet,
  ip,
  labels,
  maxBytes,
  oneOfInOrder,
  qualifiedName,
  type Rule,
  range,
  required,
  struct,
  validateAnnotations,
  validateLabels,
  whole,
} from '../../validation/index.js';
import { affinity, toleration, topologySpread } from '../scheduling.js';
import { validatePodAnnotations, validateProfilesMatch } from './annotations.js';
import { type Leniency, type PodCheck, STRICT } from './check.js';
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.js';
import { containerResources, podResources, quantity } from './resources.js';
import { hostProcesses, hostUsersRules, osRules, podSecurityContext } from './security.js';
import { validateVolumes } from './volumes.js';

const MAX_INT32 = 2 ** 31 - 1;

const claim = struct<PodCheck>('core.v1.PodResourceClaim', {
  $source: whole((o, at, c) => {
    const shown = () => goForm('core.v1.PodResourceClaim', o);
    const { resourceClaimName: name, resourceClaimTemplateName: template } = o;
    if (name !== undefined && template !== undefined)
      c.errors.push(
        invalidValue(at, shown(), 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'),
      );
    if (name === undefined && template === undefined)
      c.errors.push(invalidValue(at, shown(), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
  }),
  resourceClaimName: ifPresent(dnsSubdomain),
  resourceClaimTemplateName: ifPresent(dnsSubdomain),
});

const resourceClaims: Rule<PodCheck> = (v, at, c) => {
  const names = new Set<string>();
  if (!Array.isArray(v)) return;
  (v as JsonObject[]).forEach((o, i) => {
    const name = str(o, 'name');
    const here = at.index(i).child('name');
    if (name === '') c.errors.push(requiredError(here));
    else if (names.has(name)) c.errors.push(duplicate(here, name));
    else {
      dnsLabel(name, here, c);
      names.add(name);
    }
    claim(o, at.index(i), c);
  });
};

/** Pod-level resources hold what the containers ask for (KEP-2837). */
function podLevelResources(spec: JsonObject, at: Path, c: PodCheck): void {
  const resources = ptr(spec, 'resources');
  if (!resources || !c.gate('PodLevelResources')) return;
  if (resources.claims !== undefined)
    c.errors.push(forbiddenField(at.child('claims'), 'claims cannot be set for Resources at pod-level'));
  podResources(resources, at, c);
  const requests = obj(resources, 'requests');
  const limits = obj(resources, 'limits');
  if (Object.keys(requests).length + Object.keys(limits).length === 0) return;
  const asked = aggregateContainers(spec, 'requests');
  for (const name of [...asked.keys()].sort()) {
    const given = quantity(getOwn(requests, name));
    if (asked.get(name)!.compare(given) > 0)
      c.errors.push(
        invalidValue(
          at.child('requests').key(name),
          given.toString(),
          `must be greater than or equal to aggregate container requests of ${asked.get(name)}`,
        ),
      );
  }
  list(spec, 'containers').forEach((container, i) => {
    const own = obj(obj(container, 'resources'), 'limits');
    for (const name of Object.keys(own).sort()) {
      const limit = getOwn(limits, name);
      if (limit === undefined || quantity(own[name]).compare(quantity(limit)) <= 0) continue;
      c.errors.push(
        invalidValue(
          at.child('containers').index(i).key(name).child('limits'),
          quantity(own[name]).toString(),
          `must be less than or equal to pod limits of ${quantity(limit)}`,
        ),
      );
    }
  });
}

/** On the host's network a port of the container is one of the host. Templates may leave it out. */
function hostNetworkPorts(spec: JsonObject, at: Path, c: PodCheck): void {
  if (!bool(spec, 'hostNetwork')) return;
  list(spec, 'containers').forEach((container, i) => {
    list(container, 'ports').forEach((p, j) => {
      const host = Number(p.hostPort ?? 0);
      if ((c.pod || host !== 0) && host !== Number(p.containerPort ?? 0))
        c.errors.push(
          invalidValue(
            at.child('containers').index(i).child('ports').index(j).child('hostPort'),
            host,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
    });
  });
}

const MAX_SEARCH_CHARS = 2048;
const dnsConfigRules = struct<PodCheck>('core.v1.PodDNSConfig', {
  nameservers: [
    (v, at, c) => {
      if (Array.isArray(v) && v.length > 3) c.errors.push(invalidValue(at, v, 'must not have more than 3 nameservers'));
    },
    each(ip),
  ],
  $searches: whole((o, at, c) => {
    const searches = strings(o, 'searches');
    const here = at.child('searches');
    if (searches.length > 32) c.errors.push(invalidValue(here, searches, 'must not have more than 32 search paths'));
    if (formats.byteLength(searches.join(' ')) > MAX_SEARCH_CHARS)
      c.errors.push(
        invalidValue(
          here,
          searches,
          `must not have more than ${MAX_SEARCH_CHARS} characters (including spaces) in the search list`,
        ),
      );
    searches.forEach((search, i) => {
      // The root alone, or a name with or without the final dot.
      if (search !== '.') searchPath(search.replace(/\.$/, ''), here.index(i), c);
    });
  }),
  options: each((v, at, c) => {
    if (str(v as JsonObject, 'name') === '') c.errors.push(requiredError(at, 'must not be empty'));
  }),
});
const searchPath = format(formats.dns1123SubdomainWithUnderscore);

const dnsConfig: Rule<PodCheck> = (v, at, c) => {
  if (str(c.spec, 'dnsPolicy') === 'None') {
    if (v === undefined) {
      c.errors.push(requiredError(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if (strings(v as JsonObject, 'nameservers').length === 0) {
      c.errors.push(
        requiredError(at.child('nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      );
      return;
    }
  }
  if (v !== undefined) dnsConfigRules(v, at, c);
};

const schedulingGates: Rule<PodCheck> = (v, at, c) => {
  const seen = new Set<string>();
  if (!Array.isArray(v)) return;
  (v as JsonObject[]).forEach((gate, i) => {
    const name = str(gate, 'name');
    qualifiedName(name, at.index(i), c);
    if (seen.has(name)) c.errors.push(duplicate(at.index(i), name));
    seen.add(name);
  });
};

const hostnameOverride: Rule<PodCheck> = (v, at, c) => {
  const name = v as string;
  maxBytes(64)(name, at, c);
  dnsSubdomain(name, at, c);
  if (bool(c.spec, 'hostNetwork')) c.errors.push(forbiddenField(at, 'may not be specified when hostNetwork is true'));
  if (c.spec.setHostnameAsFQDN === true)
    c.errors.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'));
};

const os: Rule<PodCheck> = (v, at, c) => {
  const name = str(v as JsonObject, 'name');
  if (name === '') c.errors.push(requiredError(at.child('name')));
  else if (name !== 'linux' && name !== 'windows') c.errors.push(notSupported(at, name, ['linux', 'windows']));
};

const rules = struct<PodCheck>('core.v1.PodSpec', {
  $hostNetwork: whole(hostNetworkPorts),
  restartPolicy: required(oneOfInOrder('Always', 'OnFailure', 'Never')),
  dnsPolicy: required(oneOfInOrder('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None')),
  nodeSelector: labels,
  securityContext: ifPresent(podSecurityContext),
  affinity: ifPresent(affinity),
  dnsConfig,
  readinessGates: each(struct<PodCheck>('core.v1.PodReadinessGate', { conditionType: qualifiedName })),
  schedulingGates,
  topologySpreadConstraints: topologySpread,
  $hostProcesses: whole(hostProcesses),
  $hostUsers: whole(hostUsersRules),
  serviceAccountName: ifSet(dnsSubdomain),
  nodeName: ifSet(dnsSubdomain),
  activeDeadlineSeconds: ifPresent(range(1, MAX_INT32)),
  hostname: ifSet(dnsLabel),
  subdomain: ifSet(dnsLabel),
  hostnameOverride: ifPresent(hostnameOverride),
  tolerations: each(toleration),
  hostAliases: each(
    struct<PodCheck>('core.v1.HostAlias', {
      ip,
      hostnames: each(dnsSubdomain),
    }),
  ),
  priorityClassName: ifSet(dnsSubdomain),
  runtimeClassName: ifPresent(dnsSubdomain),
  preemptionPolicy: ifPresent(required(oneOfInOrder('PreemptLowerPriority', 'Never'))),
  overhead: ifPresent((v, at, c) => containerResources({ limits: v }, at, c)),
  os: ifPresent(os),
  $os: whole(osRules),
});

/** Where a pod spec stands and what may be overlooked in it. */
export interface PodSpecContext {
  /** Metadata of the pod itself; undefined for a template. */
  readonly pod?: ObjectMeta;
  readonly lenient?: Leniency;
}

/** core.v1.PodSpec, of a pod or in a template. */
export function validatePodSpec(spec: JsonObject, at: Path, check: Check, context: PodSpecContext = {}): void {
  const base: PodCheck = {
    ...check,
    lenient: context.lenient ?? STRICT,
    pod: context.pod,
    spec,
    volumes: new Map(),
    claims: new Set(
      list(spec, 'resourceClaims')
        .map((o) => str(o, 'name'))
        .filter(Boolean),
    ),
    hostUsers: spec.hostUsers !== false,
  };
  if (spec.terminationGracePeriodSeconds === undefined)
    check.errors.push(requiredError(at.child('terminationGracePeriodSeconds')));
  const volumes = validateVolumes(list(spec, 'volumes'), at.child('volumes'), base);
  const c: PodCheck = { ...base, volumes };
  resourceClaims(spec.resourceClaims, at.child('resourceClaims'), c);
  validateContainers(list(spec, 'containers'), at.child('containers'), c);
  validateInitContainers(list(spec, 'initContainers'), list(spec, 'containers'), at.child('initContainers'), c);
  validateEphemeralContainers(spec, at.child('ephemeralContainers'), c);
  podLevelResources(spec, at.child('resources'), c);
  rules(spec, at, c);
}

/** Labels and annotations of a template. */
export function validateTemplateMetadata(template: JsonObject, at: Path, c: Check, lenient?: Leniency): void {
  const meta = obj(template, 'metadata') as ObjectMeta;
  validateLabels(meta.labels ?? {}, at.child('labels'), c);
  validateAnnotations(meta.annotations ?? {}, at.child('annotations'), c);
  validatePodAnnotations(meta, obj(template, 'spec'), at.child('annotations'), c, lenient ?? STRICT);
}

/** core.v1.PodTemplateSpec. */
export function validatePodTemplate(template: JsonObject, at: Path, c: Check, lenient?: Leniency): void {
  const meta = obj(template, 'metadata') as ObjectMeta;
  const spec = obj(template, 'spec');
  validateTemplateMetadata(template, at, c, lenient);
  validatePodSpec(spec, at.child('spec'), c, { lenient });
  validateProfilesMatch(meta, spec, at.child('spec'), c);
  if (list(spec, 'ephemeralContainers').length > 0)
    c.errors.push(
      forbiddenField(at.child('spec', 'ephemeralContainers'), 'ephemeral containers not allowed in pod template'),
    );
}
