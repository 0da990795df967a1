import { list, obj, str } from '../api/access.js';
import { decodeConfigFile, type Shape } from '../auth/authorization/config-file.js';
import type { JsonObject } from '../machinery/json.js';
import { resourceCatalog } from '../machinery/scheme/resources.js';
import { STORAGE_NAMES } from '../registry/builtin.js';
import type { ProvidersOf } from '../storage/encryption/encrypted-storage.js';
import {
  type Cipher,
  type EncryptionKey,
  IDENTITY,
  KEY_SIZES,
  keyProvider,
  type Provider,
} from '../storage/encryption/provider.js';

export interface EncryptionParts {
  /** Of `--encryption-provider-config`. */
  readonly path: string;
  /** The file is looked at again every minute; one that is wrong changes nothing. */
  readonly reload: boolean;
  readFile(path: string): string;
  random(count: number): Buffer;
  /** Milliseconds; only goes forward. */
  clock(): number;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

interface Rule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.`, `*.*` */
  readonly resources: readonly string[];
  readonly providers: readonly Provider[];
}

const RELOAD_MS = 60_000;

/**
 * Which values are encrypted and how, by an EncryptionConfiguration (apiserver.config.k8s.io/v1). Of several entries
 * the first that names a resource counts.
 *
 * @throws Error that names what is wrong with the file, or not supported
 */
export function openEncryption(parts: EncryptionParts): ProvidersOf {
  const { path, reload, readFile, random, clock, log } = parts;
  let text = readFile(path);
  let rules = readRules(text, random);
  let known = new Map<string, readonly Provider[] | undefined>();
  let checked = clock();

  function check(): void {
    checked = clock();
    try {
      const next = readFile(path);
      if (next === text) return;
      rules = readRules(next, random);
      text = next;
      known = new Map();
      log('info', `encryption configuration ${path} was read again`);
    } catch (e) {
      log('error', `encryption configuration ${path} stays as it was: ${(e as Error).message}`);
    }
  }

  return (key) => {
    if (reload && clock() - checked >= RELOAD_MS) check();
    const folder = folderOf(key);
    if (!known.has(folder)) known.set(folder, providersOf(rules, resourceOf(folder)));
    return known.get(folder);
  };
}

function providersOf(rules: readonly Rule[], name: string): readonly Provider[] | undefined {
  const dot = name.indexOf('.');
  const group = dot < 0 ? '' : name.slice(dot + 1);
  const names = [name, `*.${group}`, '*.*'];
  return rules.find(({ resources }) => resources.some((resource) => names.includes(resource)))?.providers;
}

let builtin: ReadonlyMap<string, string> | undefined;
/** Resources that are compiled in, by their folder: `secrets`, `deployments.apps`. */
function builtinFolders(): ReadonlyMap<string, string> {
  if (!builtin) {
    const folders = new Map<string, string>();
    for (const { group, plural } of resourceCatalog().resources) {
      const folder = STORAGE_NAMES[`${group}/${plural}`] ?? plural;
      // Of groups that share their objects (events) the first one is where they belong.
      if (!folders.has(folder)) folders.set(folder, group === '' ? plural : `${plural}.${group}`);
    }
    builtin = folders;
  }
  return builtin;
}

/** `secrets` of `/registry/secrets/ns/name`, `services/specs`, `example.com/widgets`. */
function folderOf(key: string): string {
  const [, , first = '', second = ''] = key.split('/', 4);
  return builtinFolders().has(first) ? first : `${first}/${second}`;
}

function resourceOf(folder: string): string {
  const known = builtinFolders().get(folder);
  if (known !== undefined) return known;
  const [group, plural] = folder.split('/');
  return `${plural}.${group}`;
}

const KEYS: Shape = { keys: [{ name: 'string', secret: 'string' }] };
const PROVIDER: Shape = { aesgcm: KEYS, aescbc: KEYS, secretbox: KEYS, kms: 'any', identity: 'any' };
const VERSIONS = ['apiserver.config.k8s.io/v1'];

function readRules(text: string, random: EncryptionParts['random']): Rule[] {
  const value = decodeConfigFile(text, 'EncryptionConfiguration', VERSIONS, {
    resources: [{ resources: ['string'], providers: [PROVIDER] }],
  });
  const entries = list(value, 'resources');
  if (entries.length === 0) throw required('resources');
  return entries.map((entry, i): Rule => {
    const at = `resources[${i}]`;
    const resources = (entry.resources ?? []) as string[];
    const providers = list(entry, 'providers');
    if (resources.length === 0) throw required(`${at}.resources`);
    if (providers.length === 0) throw required(`${at}.providers`);
    for (const [j, name] of resources.entries()) checkName(name, `${at}.resources[${j}]`, resources);
    return { resources, providers: providers.map((p, j) => readProvider(p, `${at}.providers[${j}]`, random)) };
  });
}

function required(path: string): Error {
  return new Error(`${path}: Required value: at least one ${path} is required`);
}

function checkName(name: string, path: string, all: readonly string[]): void {
  const invalid = (why: string) => new Error(`${path}: Invalid value: ${JSON.stringify(name)}: ${why}`);
  if (/[A-Z]/.test(name)) throw invalid('resource name should not contain capital letters');
  if (name === '*') {
    throw invalid("use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources");
  }
  if (!/^(?:\*\.\*|\*\.[^*]*|[^*]+)$/.test(name)) {
    throw invalid('encrypting the same resource across groups is not supported');
  }
  if (all.filter((other) => other === name).length > 1) {
    throw invalid('the same resource cannot be specified multiple times');
  }
  const group = name.includes('.') ? name.slice(name.indexOf('.') + 1) : '';
  const masks =
    all.length > 1 && (name === '*.*' || (name.startsWith('*.') && all.some((o) => o !== name && inGroup(o, group))));
  if (masks) {
    throw invalid(
      "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
    );
  }
}

function inGroup(name: string, group: string): boolean {
  return (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '') === group;
}

function readProvider(provider: JsonObject, at: string, random: EncryptionParts['random']): Provider {
  const kinds = Object.keys(provider).filter((kind) => provider[kind] !== undefined && provider[kind] !== null);
  const [kind] = kinds;
  if (kinds.length > 1)
    throw new Error(
      `${at}: Invalid value: more than one provider specified in a single element, should split into different list elements`,
    );
  if (kind === 'identity') return IDENTITY;
  if (kind === 'aesgcm' || kind === 'aescbc' || kind === 'secretbox') {
    return keyProvider(kind, readKeys(obj(provider, kind), kind, at), random);
  }
  if (kind) throw new Error(`${at}.${kind} is not supported: use secretbox, aesgcm, aescbc or identity`);
  throw new Error(
    `${at}: Invalid value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity`,
  );
}

function readKeys(value: JsonObject, cipher: Cipher, at: string): EncryptionKey[] {
  const keys = list(value, 'keys');
  if (keys.length === 0) throw new Error(`${at}.${cipher}.keys: Required value: at least one keys is required`);
  return keys.map((key, i) => {
    const path = `${at}.${cipher}.keys[${i}]`;
    const [name, text] = [str(key, 'name'), str(key, 'secret')];
    if (name === '') throw new Error(`${path}.name: Required value: name is a mandatory field for a key`);
    if (text === '') throw new Error(`${path}.secret: Required value: secret is a mandatory field for a key`);
    const redacted = `${path}.secret: Invalid value: "REDACTED"`;
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
      throw new Error(`${redacted}: secrets must be base64 encoded`);
    }
    const secret = Buffer.from(text, 'base64');
    if (!KEY_SIZES[cipher].includes(secret.length)) {
      throw new Error(
        `${redacted}: secret is not of the expected length, got ${secret.length}, expected one of [${KEY_SIZES[cipher].join(' ')}]`,
      );
    }
    return { name, secret };
  });
}
