// Joins the compiled modules into a few files: reading hundreds of them is half of the time that a start takes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/**
 * Every file of the bundle lies two folders below `dist`, as the modules do that look for the catalog from where they are.
 *
 * @param root of the project, with `dist` compiled
 */
export async function bundle(root) {
  const dist = join(root, 'dist');
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = Object.keys(dependencies);
  const joined = await rolldown({
    input: { main: join(dist, 'cli', 'main.js'), index: join(dist, 'index.js') },
    platform: 'node',
    external: (id) => names.some((name) => id === name || id.startsWith(`${name}/`)),
  });
  await joined.write({
    dir: join(dist, 'bundle'),
    entryFileNames: 'entries/[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await joined.close();
  writeFileSync(join(dist, 'cli', 'main.js'), "#!/usr/bin/env node\nimport '../bundle/entries/main.js';\n");
  writeFileSync(join(dist, 'index.js'), "export * from './bundle/entries/index.js';\n");
}
