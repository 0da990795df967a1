// Makes src/catalog/go-types.json: the names of Go types that error messages show and OpenAPI does not hold (`v1.PullPolicy`,
// `map[string]v1.ExtraValue`). `node tools/go-types.mjs DIR`, where DIR/k8s.io/ has the sources of api, apimachinery,
// apiextensions-apiserver and kube-aggregator of the release. Only names are read; run it after tools/catalog.mjs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2];
if (!root) throw new Error('usage: node tools/go-types.mjs DIR');
const catalog = join(import.meta.dirname, '..', 'src', 'catalog');
const types = JSON.parse(readFileSync(join(catalog, 'types.json'), 'utf8'));

/** io.k8s.api.core.v1 -> k8s.io/api/core/v1 */
const importPath = (name) =>
  name
    .split('.')
    .slice(0, -1)
    .join('/')
    .replace(/^io\/k8s\//, 'k8s.io/');
const packages = new Map();

/** Structs, named types and imports of a package. */
function load(path) {
  if (packages.has(path)) return packages.get(path);
  const pkg = { structs: new Map(), named: new Map() };
  packages.set(path, pkg);
  const dir = join(root, path);
  if (!existsSync(dir)) return pkg;
  for (const file of readdirSync(dir)) {
    if (!file.endsWith('.go') || file.endsWith('_test.go') || file.startsWith('zz_')) continue;
    const text = readFileSync(join(dir, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    const imports = new Map();
    for (const m of text.matchAll(/^\s*(?:import\s+)?(?:(\w+)\s+)?"([^"]+)"\s*$/gm)) {
      imports.set(m[1] ?? m[2].split('/').pop(), m[2]);
    }
    for (const m of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      const fields = [];
      for (const line of m[2].split('\n')) {
        const f = /^\s*(?:(\w+)\s+)?(\S.*?)\s+`([^`]*)`/.exec(line.replace(/\/\/.*$/, ''));
        const tag = f && /json:"([^"]*)"/.exec(f[3])?.[1];
        if (!f || tag === undefined) continue;
        const [json, ...options] = tag.split(',');
        fields.push({ json, inline: options.includes('inline') || (!f[1] && json === ''), type: f[2], imports, path });
      }
      pkg.structs.set(m[1], fields);
    }
    for (const m of text.matchAll(/^type (\w+) ((?:\[\]|map\[)\S+)/gm))
      pkg.named.set(m[1], { type: m[2], imports, path });
  }
  return pkg;
}

const BUILTIN = { byte: 'uint8', rune: 'int32', any: 'interface {}', 'interface{}': 'interface {}' };
const SIMPLE = new Set(['string', 'bool', 'int', 'int32', 'int64', 'uint8', 'float64', 'interface {}']);

/** A Go type as reflection prints it: package names instead of import aliases. */
function print(type, { imports, path }) {
  if (type.startsWith('*')) return `*${print(type.slice(1), { imports, path })}`;
  if (type.startsWith('[]')) return `[]${print(type.slice(2), { imports, path })}`;
  const map = /^map\[([^\]]+)\](.*)$/.exec(type);
  if (map) return `map[${print(map[1], { imports, path })}]${print(map[2], { imports, path })}`;
  const name = BUILTIN[type] ?? type;
  if (SIMPLE.has(name)) return name;
  const [alias, short] = name.includes('.') ? name.split('.') : [undefined, name];
  const from = alias === undefined ? path : (imports.get(alias) ?? alias);
  const def = load(from).named.get(short);
  const text = `${from.split('/').pop()}.${short}`;
  if (def) named[text] = print(def.type, def);
  return text;
}

function fieldsOf(path, name, out = new Map()) {
  for (const f of load(path).structs.get(name) ?? []) {
    if (!f.inline) out.set(f.json, print(f.type, f).replace(/^\*/, ''));
    else {
      const [alias, short] = f.type.includes('.') ? f.type.replace('*', '').split('.') : [undefined, f.type];
      fieldsOf(alias ? f.imports.get(alias) : path, short, out);
    }
  }
  return out;
}

function expected(f) {
  switch (f.k) {
    case 'string':
      return f.fmt === 'byte' ? '[]uint8' : 'string';
    case 'integer':
      return f.fmt ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'array':
      return `[]${expected(f.items)}`;
    case 'map':
      return `map[string]${expected(f.addl)}`;
    default:
      return f.ref ? f.ref.split('.').slice(-2).join('.') : 'interface {}';
  }
}

const named = {};
const fields = {};
let missing = 0;
for (const [name, type] of Object.entries(types)) {
  const go = fieldsOf(importPath(name), name.split('.').pop());
  for (const f of type.fields ?? []) {
    const text = go.get(f.n);
    if (text === undefined) {
      missing++;
      console.error(`no Go field for ${name}.${f.n}`);
    } else if (text !== expected(f)) {
      fields[name] ??= {};
      fields[name][f.n] = text;
    }
  }
}
console.error(`${missing} fields not found`);
const lines = (o) =>
  `{\n${Object.entries(o)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
    .join(',\n')}\n}`;
writeFileSync(join(catalog, 'go-types.json'), `{"fields":${lines(fields)},\n"named":${lines(named)}}\n`);
