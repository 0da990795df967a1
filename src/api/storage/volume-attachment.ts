import { forbiddenField, Path, required as requiredError, tooLong } from '../../machinery/field.js';
import { isJsonObject, type KubeObject } from '../../machinery/json.js';
import { obj } from '../access.js';
import { volumeSpec } from '../core/volume.js';
import { csiDriverName } from '../core/volume-sources.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsSubdomain,
  formats,
  ifPresent,
  immutable,
  type Rule,
  range,
  struct,
  whole,
} from '../validation/index.js';

const MAX_METADATA = 256 * 1024;
const MAX_MESSAGE = 1024;
const MAX_INT32 = 2 ** 31 - 1;
const EITHER = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

const source: Rule = whole((o, at, c) => {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = o;
  if (inline === undefined && name === undefined) c.errors.push(requiredError(at, EITHER));
  else if (inline !== undefined && name !== undefined) c.errors.push(forbiddenField(at, EITHER));
  else if (inline !== undefined) volumeSpec(inline, at.child('inlineVolumeSpec'), { ...c, name: '', inline: true });
  else if (name === '')
    c.errors.push(requiredError(at.child('persistentVolumeName'), 'must specify non empty persistentVolumeName'));
});

const volumeError = ifPresent(
  struct('storage.v1.VolumeError', {
    message: (v, at, c) => {
      // The limit named is another one than the limit held.
      if (formats.byteLength(String(v)) > MAX_MESSAGE) c.errors.push(tooLong(at, MAX_METADATA));
    },
    errorCode: ifPresent(range(0, MAX_INT32)),
  }),
);

const rules = struct('storage.v1.VolumeAttachment', {
  spec: struct('storage.v1.VolumeAttachmentSpec', { attacher: csiDriverName, source, nodeName: dnsSubdomain }),
  status: struct('storage.v1.VolumeAttachmentStatus', {
    attachmentMetadata: (v, at, c) => {
      const entries = Object.entries((isJsonObject(v) ? v : {}) as Record<string, string>);
      const size = entries.reduce((sum, [k, e]) => sum + formats.byteLength(k) + formats.byteLength(e), 0);
      if (size > MAX_METADATA) c.errors.push(tooLong(at, MAX_METADATA));
    },
    attachError: volumeError,
    detachError: volumeError,
  }),
  $name: whole((o, _, c) => {
    const name = obj(obj(o, 'spec'), 'source').persistentVolumeName;
    ifPresent(dnsSubdomain)(name, new Path('spec.source.persistentVolumeName'), c);
  }),
});

const sameSpec = (o: KubeObject, old: KubeObject, c: Check): void =>
  immutable(o.spec, old.spec, new Path('spec'), c, 'storage.v1.VolumeAttachmentSpec');

export const volumeAttachment: Strategy = kind({
  group: 'storage.k8s.io',
  kind: 'VolumeAttachment',
  rules,
  updateRules: sameSpec,
  onUpdate: ['meta', 'rules', 'updateRules'],
  subresources: {
    status: {
      meta: true,
      rules(o, old, c) {
        rules(o, new Path(), c);
        sameSpec(o, old, c);
      },
    },
  },
});
