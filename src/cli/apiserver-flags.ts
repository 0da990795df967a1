import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { FlagSpec, FlagType } from './pflag.js';

/** [section, --name, type, default] */
type Row = [string, string, string, string];

const TYPES: Readonly<Record<string, FlagType>> = {
  bool: 'bool',
  int: 'int',
  duration: 'duration',
  strings: 'strings',
  stringArray: 'stringArray',
  namedCertKey: 'stringArray',
  ip: 'ip',
  float: 'float',
  float32: 'float',
  mapStringString: 'map',
  stringToString: 'pair',
  int32Slice: 'strings',
  colonSeparatedMultimapStringString: 'map',
};

/** Every flag of kube-apiserver of this release, from the facts, and the ones of our own. */
export function apiserverFlags(): FlagSpec[] {
  const rows = JSON.parse(readCatalogFile('flags.json')) as Row[];
  const theirs = rows.map(([section, name, type, value]) => ({
    name: name.slice(2),
    type: TYPES[type] ?? 'string',
    usage: `${section}${value === '-' ? '' : `; default ${value}`}`,
    ...(value === '-' ? {} : { default: value.replace(/^"(.*)"$/, '$1') }),
    ...(name === '--version' ? { bare: 'true' } : {}),
    ...(name === '--help' ? { shorthand: 'h' } : {}),
    ...(name === '--v' ? { shorthand: 'v' } : {}),
  }));
  return [...theirs, ...OWN_FLAGS];
}

export const OWN_FLAGS: readonly FlagSpec[] = [
  { name: 'data-dir', type: 'string', usage: 'where the embedded store, keys and certificates live' },
  {
    name: 'controllers',
    type: 'strings',
    usage: "loops to run in this process: '*' for all; apiserver runs none unless asked, up runs all",
  },
];
