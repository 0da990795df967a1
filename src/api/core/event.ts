import { invalidValue, Path, required } from '../../machinery/field.js';
import { equalJson, type KubeObject } from '../../machinery/json.js';
import { num, obj, ptr, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  formats,
  immutable,
  invalidEach,
  nameIsDnsSubdomain,
  qualifiedName,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../validation/index.js';

const SHORT = 128;
const NOTE = 1024;
const META = { namespaced: true, name: nameIsDnsSubdomain };

/** Events that come as core/v1 are only held to what held before events.k8s.io/v1. */
const isNew = (c: Check) => c.requestVersion === 'events.k8s.io/v1';

function atMost(event: KubeObject, field: string, max: number, c: Check): void {
  if (formats.byteLength(str(event, field)) > max)
    c.errors.push(invalidValue(field, '', `can have at most ${max} characters`));
}
function need(event: KubeObject, field: string, max: number, c: Check): void {
  if (str(event, field) === '') c.errors.push(required(field));
  atMost(event, field, max, c);
}

function oldRules(event: KubeObject, c: Check): void {
  const namespace = event.metadata.namespace ?? '';
  const about = str(obj(event, 'involvedObject'), 'namespace');
  const mismatch = () =>
    c.errors.push(invalidValue('involvedObject.namespace', about, 'does not match event.namespace'));
  if (event.eventTime === undefined) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : about !== namespace) mismatch();
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    const reporter = c.requestVersion === 'v1' ? 'reportingComponent' : 'reportingController';
    const name = str(event, 'reportingComponent');
    if (name === '') c.errors.push(required(reporter));
    qualifiedName(name, new Path(reporter), c);
    for (const field of ['reportingInstance', 'action', 'reason']) need(event, field, SHORT, c);
    atMost(event, 'message', NOTE, c);
  }
  invalidEach(c, new Path('namespace'), namespace, formats.dns1123Subdomain(namespace));
}

function series(event: KubeObject, c: Check): void {
  const s = ptr(event, 'series');
  if (!s) return;
  if (num(s, 'count') < 2) c.errors.push(invalidValue('series.count', '', 'should be at least 2'));
  if (s.lastObservedTime === undefined) c.errors.push(required('series.lastObservedTime'));
}

function newRules(event: KubeObject, c: Check): void {
  validateObjectMeta(event.metadata, META, c);
  series(event, c);
  if (event.eventTime === undefined) c.errors.push(required('eventTime'));
  const type = str(event, 'type');
  if (type !== 'Normal' && type !== 'Warning') c.errors.push(invalidValue('type', '', `has invalid value: ${type}`));
  const unset = (field: string, set: boolean) => {
    if (set) c.errors.push(invalidValue(field, '', 'needs to be unset'));
  };
  unset('firstTimestamp', event.firstTimestamp !== undefined);
  unset('lastTimestamp', event.lastTimestamp !== undefined);
  unset('count', num(event, 'count') !== 0);
  const source = obj(event, 'source');
  unset('source', str(source, 'component') !== '' || str(source, 'host') !== '');
}

/** The story that an event tells does not change; only its series goes on. */
function change(event: KubeObject, old: KubeObject, c: Check): void {
  if (!isNew(c)) return;
  validateObjectMetaUpdate(event.metadata, old.metadata, c);
  if (!equalJson(event.series, old.series)) series(event, c);
  const same = (field: string, type?: string) => immutable(event[field], old[field], new Path(field), c, type);
  same('involvedObject', 'core.v1.ObjectReference');
  same('reason');
  same('message');
  same('source', 'core.v1.EventSource');
  same('firstTimestamp');
  same('lastTimestamp');
  same('count');
  same('type');
  same('eventTime');
  same('action');
  immutable(event.related, old.related, new Path('related'), c, 'core.v1.ObjectReference');
  immutable(event.reportingComponent, old.reportingComponent, new Path('reportingController'), c);
  same('reportingInstance');
}

export const event: Strategy = kind({
  group: '',
  kind: 'Event',
  ownMetadata: true,
  rules(v, _, c) {
    oldRules(v as KubeObject, c);
    if (isNew(c) && !c.old) newRules(v as KubeObject, c);
  },
  updateRules: change,
  onUpdate: ['rules', 'updateRules'],
  strategy: {
    selectableFields(o) {
      const about = obj(o, 'involvedObject');
      const reporter = str(o, 'reportingComponent');
      const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
      return {
        ...Object.fromEntries(fields.map((f) => [`involvedObject.${f}`, str(about, f)])),
        reason: str(o, 'reason'),
        reportingComponent: reporter,
        source: str(obj(o, 'source'), 'component') || reporter,
        type: str(o, 'type'),
      };
    },
  },
});
