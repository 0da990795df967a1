import { duplicate, invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, obj, str, strings } from '../access.js';
import type { GroupStrategies } from '../index.js';
import { kind, type SubresourceDefinition } from '../kind.js';
import { type Check, dnsSubdomain, formats, qualifiedName } from '../validation/index.js';

const STATUS = new Path('status');

/** `<group>.<resource>`. */
function storageVersionName(name: string): string[] {
  const dot = name.lastIndexOf('.');
  if (dot < 0) return ['name must be in the form of <group>.<resource>'];
  return [
    ...formats.dns1123Subdomain(name.slice(0, dot)).map((m) => `the group segment ${m}`),
    ...formats.dns1035Label(name.slice(dot + 1)).map((m) => `the resource segment ${m}`),
  ];
}

function apiVersionFaults(apiVersion: string): string[] {
  const parts = apiVersion.split('/');
  if (parts.length > 2)
    return [
      `an apiVersion is ${formats.regexError(
        "a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        '[a-z]([-a-z0-9]*[a-z0-9])?',
        'my-name',
        'abc-123',
      )} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')`,
    ];
  const [group, version] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!];
  const empty = ['must be non-empty'];
  const ofGroup = group === undefined ? [] : group === '' ? empty : formats.dns1123Subdomain(group);
  const ofVersion = version === '' ? empty : formats.dns1035Label(version);
  return [...ofGroup.map((m) => `group part: ${m}`), ...ofVersion.map((m) => `version part: ${m}`)];
}

function apiVersion(value: string, at: Path, c: Check): void {
  const faults = apiVersionFaults(value);
  if (faults.length > 0) c.errors.push(invalidValue(at, value, faults.join(',')));
}

/** What one API server reads and writes. */
function server(o: JsonObject, at: Path, c: Check): void {
  const encoding = str(o, 'encodingVersion');
  const decodable = strings(o, 'decodableVersions');
  dnsSubdomain(str(o, 'apiServerID'), at.child('apiServerID'), c);
  apiVersion(encoding, at.child('encodingVersion'), c);
  decodable.forEach((version, i) => {
    apiVersion(version, at.child('decodableVersions').index(i), c);
  });
  if (!decodable.includes(encoding))
    c.errors.push(
      invalidValue(
        at.child('decodableVersions'),
        decodable.length > 0 ? decodable : null,
        `decodableVersions must include encodingVersion ${encoding}`,
      ),
    );
  strings(o, 'servedVersions').forEach((version, i) => {
    const here = at.child('servedVersions').index(i);
    apiVersion(version, here, c);
    if (!decodable.includes(version))
      c.errors.push(
        invalidValue(
          here,
          version,
          `individual served version : ${version} must be included in decodableVersions : [${decodable.join(' ')}]`,
        ),
      );
  });
}

function commonVersion(status: JsonObject, servers: readonly JsonObject[], c: Check): void {
  const said = status.commonEncodingVersion;
  const [first] = servers;
  const agreed = first && servers.every((s) => str(s, 'encodingVersion') === str(first, 'encodingVersion'));
  const common = agreed ? str(first, 'encodingVersion') : undefined;
  const fault = (text: string) =>
    c.errors.push(invalidValue(STATUS.child('commonEncodingVersion'), said ?? null, text));
  if (common === said) return;
  if (common === undefined)
    fault(
      'should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet',
    );
  else
    fault(
      said === undefined
        ? `the common encoding version is ${common}`
        : `the actual common encoding version is ${common}`,
    );
}

function conditions(status: JsonObject, c: Check): void {
  const seen = new Map<string, number>();
  list(status, 'conditions').forEach((condition, i) => {
    // Reported as if the status were the list.
    const at = STATUS.index(i);
    const type = str(condition, 'type');
    const other = seen.get(type);
    if (other !== undefined)
      c.errors.push(
        invalidValue(
          at.child('type'),
          type,
          `the type of the condition is not unique, it also appears in conditions[${other}]`,
        ),
      );
    seen.set(type, i);
    qualifiedName(type, at.child('type'), c);
    qualifiedName(str(condition, 'status'), at.child('status'), c);
    for (const name of ['reason', 'message'])
      if (str(condition, name) === '') c.errors.push(requiredError(at.child(name)));
  });
}

const statusRules: SubresourceDefinition['rules'] = (o, _, c) => {
  const status = obj(o, 'status');
  const servers = list(status, 'storageVersions');
  const ids = new Set<string>();
  servers.forEach((s, i) => {
    const at = STATUS.child('storageVersions').index(i);
    const id = str(s, 'apiServerID');
    if (ids.has(id)) c.errors.push(duplicate(at.child('apiServerID'), id));
    ids.add(id);
    server(s, at, c);
  });
  commonVersion(status, servers, c);
  conditions(status, c);
};

const storageVersion = kind({
  group: 'internal.apiserver.k8s.io',
  kind: 'StorageVersion',
  name: storageVersionName,
  onUpdate: [],
  subresources: { status: { rules: statusRules } },
});

export const strategies: GroupStrategies = { StorageVersion: storageVersion };
