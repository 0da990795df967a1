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

/**
 * Adds `reg` to the kinds that a server knows but does not serve: old versions, options, reviews. Their group is that of
 * the other versions of the same package, or the one named here.
 */
function register(types, meta) {
  const groups = new Map(
    Object.entries({
      admission: 'admission.k8s.io',
      apidiscovery: 'apidiscovery.k8s.io',
      audit: 'audit.k8s.io',
      extensions: 'extensions',
      imagepolicy: 'imagepolicy.k8s.io',
    }),
  );
  const packageOf = (name) => name.split('.').slice(-3)[0];
  for (const [name, type] of Object.entries(types)) {
    if (Array.isArray(type.gvk) && packageOf(name) !== 'meta') groups.set(packageOf(name), type.gvk[0][0]);
  }
  for (const [name, type] of Object.entries(types)) {
    const kind = name.split('.').pop();
    const isKind = type.fields?.some((f) => f.in?.includes('TypeMeta')) && kind !== 'TypeMeta';
    if (packageOf(name) === 'meta' && isKind && !type.gvk) {
      type.reg = /Options$/.test(kind) ? 'every-group-version' : [['meta.k8s.io', 'v1', kind]];
      if (kind === 'Table' || kind === 'PartialObjectMetadata') type.reg.push(['meta.k8s.io', 'v1beta1', kind]);
      if (name === `${meta}beta1.PartialObjectMetadataList`) type.reg = [['meta.k8s.io', 'v1beta1', kind]];
    } else if (isKind && !type.gvk && groups.has(packageOf(name))) {
      type.reg = [[groups.get(packageOf(name)), name.split('.').slice(-2)[0], kind]];
    }
  }
  // Their v1beta1 is registered still, and refused only after it has been read. The shapes are close enough for that.
  for (const [path, group] of [
    ['apiextensions-apiserver.pkg.apis.apiextensions', 'apiextensions.k8s.io'],
    ['kube-aggregator.pkg.apis.apiregistration', 'apiregistration.k8s.io'],
  ]) {
    for (const [name, type] of Object.entries(types)) {
      if (name.startsWith(`io.k8s.${path}.v1.`) && Array.isArray(type.gvk))
        type.reg = type.gvk.map((g) => [group, 'v1beta1', g[2]]);
    }
  }
}

const write = (name, value) => writeFileSync(join(out, name), lines(value));

// types.json: fields in Go order; `pb` gets the presence rule ('always' or 'nil') as its fourth item.
const { types } = read('types.json');
const { messages } = read('protobuf.json');

/** The message that holds a field: the type's own, or the inline part (of a part) that the field comes from. */
function messageOf(name, parts) {
  for (const part of parts ?? []) name = types[name]?.inline?.find(([n]) => n.endsWith(`.${part}`))?.[0];
  return messages[name];
}
for (const [name, type] of Object.entries(types)) {
  for (const field of type.fields ?? []) {
    if (!field.pb || field.in?.includes('TypeMeta')) continue;
    const rule = messageOf(name, field.in)?.find((f) => f[0] === field.pb[0])?.[4];
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
register(types, meta);
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
