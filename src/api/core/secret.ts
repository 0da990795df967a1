import { invalidValue, Path, required, tooLong } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { str, stringMap } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, configMapKey, immutable } from '../validation/index.js';
import { decodedLength, frozen, MAX_DATA } from './config-map.js';

const DATA = new Path('data');
const SERVICE_ACCOUNT = 'kubernetes.io/service-account.name';

/** What the well-known types must hold. */
function typeRules(secret: KubeObject, c: Check): void {
  const data = stringMap(secret, 'data');
  const has = (key: string) => Object.hasOwn(data, key);
  const need = (key: string) => {
    if (!has(key)) c.errors.push(required(DATA.key(key)));
    return has(key);
  };
  const json = (key: string) => {
    if (!need(key)) return;
    const problem = jsonObjectProblem(Buffer.from(data[key]!, 'base64').toString('utf8'));
    if (problem) c.errors.push(invalidValue(DATA.key(key), '<secret contents redacted>', problem));
  };
  switch (str(secret, 'type')) {
    case 'kubernetes.io/service-account-token':
      if (!secret.metadata.annotations?.[SERVICE_ACCOUNT])
        c.errors.push(required(new Path('metadata.annotations').key(SERVICE_ACCOUNT)));
      break;
    case 'kubernetes.io/dockercfg':
      json('.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      json('.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      if (!has('username') && !has('password')) {
        need('username');
        need('password');
      }
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) c.errors.push(required(DATA.key('ssh-privatekey')));
      break;
    case 'kubernetes.io/tls':
      need('tls.crt');
      need('tls.key');
      break;
  }
}

/** Why a text is no JSON object, in the words of the real server as far as they can be had without its parser. */
function jsonObjectProblem(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input';
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return undefined;
    const type = Array.isArray(value) ? 'array' : typeof value;
    if (type === 'object') return undefined;
    return `json: cannot unmarshal ${type === 'boolean' ? 'bool' : type} into Go value of type map[string]interface {}`;
  } catch {
    const first = text.trimStart()[0]!;
    return /[{["\d\-tfn]/.test(first)
      ? 'unexpected end of JSON input'
      : `invalid character '${first}' looking for beginning of value`;
  }
}

function rules(secret: KubeObject, c: Check): void {
  const data = stringMap(secret, 'data');
  let size = 0;
  for (const key of Object.keys(data).sort()) {
    configMapKey(key, DATA.key(key), c);
    size += decodedLength(data[key]!);
  }
  if (size > MAX_DATA) c.errors.push(tooLong(DATA, MAX_DATA));
  typeRules(secret, c);
}

export const secret: Strategy = kind({
  group: '',
  kind: 'Secret',
  rules: (v, _, c) => rules(v as KubeObject, c),
  updateRules(o, old, c) {
    immutable(str(o, 'type'), str(old, 'type'), new Path('type'), c);
    frozen(o, old, ['data'], c);
  },
  onUpdate: ['change', 'updateRules', 'meta', 'rules'],
  prepareForUpdate(_, o, old) {
    // A client that leaves the type out keeps it.
    if (str(o, 'type') === '') o.type = old.type;
  },
  strategy: { selectableFields: (o) => ({ type: str(o, 'type') }) },
});
