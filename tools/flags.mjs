// Makes docs/flags.md from what the program itself knows of its flags: `npm run build && node tools/flags.mjs`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const dist = join(import.meta.dirname, '..', 'dist');
const { apiserverFlags } = await import(join(dist, 'cli', 'apiserver-flags.js'));
const { DISPOSITIONS, NOTES } = await import(join(dist, 'cli', 'flag-dispositions.js'));

const fate = (name) => {
  const d = DISPOSITIONS[name];
  const note = NOTES[name];
  if (!d) return note?.startsWith('refused') ? note : note ? `implemented: ${note}` : 'implemented';
  return 'refuse' in d ? `refused: ${d.refuse}` : `accepted, no effect: ${d.warn}`;
};
const rows = apiserverFlags()
  .filter((f) => f.name !== 'help')
  .map((f) => `| \`--${f.name}\` | ${f.type} | ${fate(f.name)} |`);
const text = `# Flags of porthole apiserver

Every flag of kube-apiserver 1.36 is known. One that is not implemented is either harmless to leave out, and then only
warned of, or refused by its name: the server does not start with something else than asked for.

\`--storage-backend\` takes \`lmdb\` (with \`--data-dir\`) or \`memory\`; \`etcd3\` and \`--etcd-servers\` are refused unless
another backend is chosen by name.

| flag | type | here |
|---|---|---|
${rows.join('\n')}
`;
writeFileSync(join(import.meta.dirname, '..', 'docs', 'flags.md'), text);
