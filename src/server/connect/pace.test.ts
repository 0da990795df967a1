import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.js';

describe('a paced stream', () => {
  it('passes everything on, in small pieces', async () => {
    const pace = new Pace(100_000);
    const sizes: number[] = [];
    const all: Buffer[] = [];
    pace.on('data', (piece: Buffer) => {
      sizes.push(piece.length);
      all.push(piece);
    });
    const sent = Buffer.from('0123456789'.repeat(2000));
    pace.end(sent);
    await once(pace, 'end');
    expect(Buffer.concat(all).equals(sent)).toBe(true);
    expect(sizes).toEqual([5000, 5000, 5000, 5000]);
  });

  it('takes no more than it passes on', () => {
    const pace = new Pace(1);
    expect(pace.write(Buffer.alloc(70_000))).toBe(false);
    pace.destroy();
  });
});
