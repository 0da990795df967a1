// Makes docs/differences.md from result files of a comparison with recorded answers:
// `node tools/differences.mjs RESULT.json…`. A step in a later file replaces the one of an earlier file.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const suites = {};
for (const file of process.argv.slice(2)) Object.assign(suites, JSON.parse(readFileSync(file, 'utf8')).suites);

/** Why a kind of difference is there; the first that fits counts. */
const REASONS = [
  [/hash=[0-9A-F]{20}/, 'a hash of a document of ours'],
  [/internalTrafficPolicy/, 'a field that upstream keeps in the store and drops on the way out of it'],
  [/CustomResourceDefinition rich/, 'definitions without instances are gone at once'],
  [/: null|:null|\[\]|\{\}/, 'Go tells empty from unset where the minimal form does not'],
  [/apiservices|APIService/, 'aggregated servers: order and moments of their conditions'],
  [/conversion|ConversionReview/i, 'conversion of custom resources'],
  [/CustomResourceDefinition|customresourcedefinitions|example\.com/, 'custom resources'],
  [/f:status|managedFields|f:/, 'ownership that a loop of upstream writes at another moment'],
  [/resourceVersion/, 'upstream writes once more or once less in between'],
];
const reasonOf = (d) =>
  REASONS.find(([re]) => re.test(`${d.request} ${d.case} ${d.diff}`))?.[1] ?? 'not looked into yet';

let text = `# Where the answers differ

Requests that a real kube-apiserver 1.36 answered, sent to Porthole: how many steps are exact, how many have the same
status code, and what differs. The list may only shrink.

| suite | steps | exact | same status code |
|---|---|---|---|
`;
const percent = (n, of) => `${((100 * n) / of).toFixed(2)} %`;
for (const [name, s] of Object.entries(suites)) {
  const same = s.exact + s['same-code-different-body'];
  text += `| ${name} | ${s.steps} | ${percent(s.exact, s.steps)} | ${percent(same, s.steps)} |\n`;
}
for (const [name, s] of Object.entries(suites)) {
  if (s.differences.length === 0) continue;
  text += `\n## ${name}\n`;
  const groups = new Map();
  for (const d of s.differences) {
    const reason = reasonOf(d);
    if (!groups.has(reason)) groups.set(reason, new Map());
    const cases = groups.get(reason);
    cases.set(d.case, [...(cases.get(d.case) ?? []), d.step]);
  }
  for (const [reason, cases] of groups) {
    text += `- ${reason}: ${[...cases].map(([c, steps]) => `${c} (${steps.join(', ')})`).join('; ')}\n`;
  }
}
writeFileSync(join(import.meta.dirname, '..', 'docs', 'differences.md'), text);
