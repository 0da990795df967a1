// Makes src/catalog/*.json from a folder of Kubernetes API facts: `node tools/catalog.mjs FACTS_DIR`.
// A new Kubernetes release is a new run of this tool. The JSON files hold one entry per line so that a diff can be read.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const facts = process.argv[2] ?? '../shared/facts/kubernetes-1.36';
const out = join(import.meta.dirname, '..', 'src', 'catalog');
mkdirSync(out, { recursive: true });
const read = (name) => JSON.parse(readFileSync(join(facts, name), 'utf8'));
const text = (name) => readFileSync(join(facts, name), 'utf8');

/** One entry per line. */
function lines(value) {
  if (Array.isArray(value)) return `[\n${value.map((v) => JSON.stringify(v)).join(',\n')}\n]\n`;
  return `{\n${Object.entries(value)
    .map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
    .join(',\n')}\n}\n`;
}
const write = (name, value) => writeFileSync(join(out, name), lines(value));

// types.json: fields in Go order; `pb` gets the presence rule ('always' or 'nil') as its fourth item.
const { types } = read('types.json');
const { messages } = read('protobuf.json');
for (const [name, type] of Object.entries(types)) {
  const presence = new Map((messages[name] ?? []).map((f) => [f[0], f[4]]));
  for (const field of type.fields ?? []) {
    if (!field.pb) continue;
    const owner = field.in ? messages[field.in] : undefined;
    const rule = owner ? owner.find((f) => f[0] === field.pb[0])?.[4] : presence.get(field.pb[0]);
    if (rule) field.pb[3] = rule;
  }
}
// Facts that the sources leave out: the cells of a Table row may be anything, and `List` has no version of its own.
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
types[`${meta}.TableRow`].fields.unshift({
  n: 'cells',
  k: 'array',
  items: { k: 'any' },
  req: 1,
  lt: 'atomic',
  z: null,
});
types[`${meta}.List`].gvk ??= [['', 'v1', 'List']];
write('types.json', types);
write('messages.json', Object.fromEntries(Object.entries(messages).filter(([name]) => !types[name])));

const resources = read('resources.json');
writeFileSync(
  join(out, 'resources.json'),
  `{"groupOrder":${JSON.stringify(resources.groupOrder)},\n"apiServicePriority":${JSON.stringify(resources.apiServicePriority)},\n` +
    `"querySets":${JSON.stringify(resources.querySets)},\n"resources":${lines(resources.resources).trimEnd()}}\n`,
);
// defaults.json: what `+default` markers say runs after the rules of the same type.
const { rules, markers } = read('defaults.json');
for (const [name, list] of Object.entries(markers)) rules[name] = [...(rules[name] ?? []), ...list];
write('defaults.json', rules);
write('bootstrap.json', read('bootstrap.json').objects);
write('admission-order.json', read('admission-order.json'));

const rows = (name) =>
  text(name)
    .split('\n')
    .filter((l) => l && !l.startsWith('#'))
    .map((l) => l.split(' | ').map((c) => c.trim()));
write('flags.json', rows('flags.txt'));
write('feature-gates.json', rows('feature-gates.txt'));
write('metrics.json', rows('metrics.txt'));
writeFileSync(join(out, 'healthz.txt'), text('healthz.txt'));
