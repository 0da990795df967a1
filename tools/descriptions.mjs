// Reads the descriptions of types, fields and query parameters from the comments of @kubernetes/client-node, a
// development dependency whose models are generated from the API that this server speaks, into
// src/catalog/descriptions.json.gz. The file is part of the built package and not of the repository; without it the
// server works and says less. See NOTICE.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const gen = join(root, 'node_modules', '@kubernetes', 'client-node', 'dist', 'gen');
const target = join(root, 'src', 'catalog', 'descriptions.json.gz');

/** Undoes what the generator does to texts: escaped quotes, HTML entities, paragraphs put on one line. */
function plain(text) {
  return text
    .replace(/&#x([0-9A-Fa-f]+);/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&(quot|lt|gt|amp);/g, (_, name) => ({ quot: '"', lt: '<', gt: '>', amp: '&' })[name])
    .replace(/\\(['"\\])/g, '$1')
    .replace(/([.:)]) {2,}(?=[A-Z`])/g, '$1\n\n')
    .trim();
}

function comment(block) {
  return plain(
    block
      .split('\n')
      .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
      .filter((line) => line !== '')
      .join('\n'),
  );
}

/** { '': of the type, field: of the field } */
function ofModel(text) {
  const out = {};
  const head = /\/\*\*([\s\S]*?)\*\/\s*export declare class/.exec(text.slice(text.lastIndexOf('\nimport')));
  const type = head && comment(head[1].slice(head[1].lastIndexOf('/**') + 1));
  if (type && !type.startsWith('Kubernetes\nNo description')) out[''] = type;
  for (const m of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*'([^']+)'\??:/g)) out[m[2]] = comment(m[1]);
  return out;
}

const capital = (s) => s[0].toUpperCase() + s.slice(1);

function types() {
  const names = JSON.parse(readFileSync(join(root, 'src', 'catalog', 'types.json'), 'utf8'));
  const classes = new Set(
    readdirSync(join(gen, 'models'))
      .filter((f) => f.endsWith('.d.ts'))
      .map((f) => f.slice(0, -5)),
  );
  const out = {};
  for (const [name, type] of Object.entries(names)) {
    if (type.live === 0) continue;
    const [pkg, version, kind] = name.split('.').slice(-3);
    // Names that two groups share carry the group.
    const found = [capital(pkg) + capital(version) + kind, capital(version) + kind].find((c) => classes.has(c));
    if (!found) continue;
    const of = ofModel(readFileSync(join(gen, 'models', `${found}.d.ts`), 'utf8'));
    if (Object.keys(of).length > 0) out[name] = of;
  }
  return out;
}

/** Query parameters by name, and those of connections and logs by the type of their options. */
function parameters() {
  const common = {};
  const options = {};
  const text = readFileSync(join(gen, 'apis', 'CoreV1Api.d.ts'), 'utf8');
  for (const m of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\s*(\w+)\(/g)) {
    const connect = /^connectGet(?:Namespaced)?(Pod|Service|Node)(Attach|Exec|Portforward|Proxy)$/.exec(m[2]);
    const kind = connect
      ? `${connect[1]}${connect[2] === 'Portforward' ? 'PortForward' : connect[2]}Options`
      : m[2] === 'readNamespacedPodLog'
        ? 'PodLogOptions'
        : '';
    if (!kind && !/^(list|create|patch|delete)(Namespaced|CollectionNamespaced)Pod$/.test(m[2])) continue;
    if (kind) options[kind] ??= {};
    const into = kind ? options[kind] : common;
    for (const p of m[1].matchAll(/@param _?(\w+) (.+)/g)) {
      if (!/^(name|namespace|body)$/.test(p[1])) into[p[1]] ??= plain(p[2]);
    }
  }
  return { parameters: common, options };
}

if (!existsSync(gen)) {
  console.error('descriptions: @kubernetes/client-node is not installed, kubectl explain will have no descriptions');
} else {
  const bytes = gzipSync(JSON.stringify({ types: types(), ...parameters() }), { level: 9 });
  // An unchanged file keeps its time, so that nothing is built again for it.
  if (!existsSync(target) || !readFileSync(target).equals(bytes)) writeFileSync(target, bytes);
}
