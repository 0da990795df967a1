import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBox, sealBox } from './secretbox.js';

const hex = (...lines: string[]) => Buffer.from(lines.join(''), 'hex');

describe('secretbox', () => {
  // The example of "Cryptography in NaCl" (D. J. Bernstein, 2009).
  const key = hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389');
  const nonce = hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37');
  const message = hex(
    'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4',
    '1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52',
    'f0a089bc76897040e082f937763848645e0705',
  );
  const box = hex(
    'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b',
    '4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da',
    '99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
  );

  it('is that of NaCl', () => {
    expect(sealBox(message, nonce, key)).toEqual(box);
    expect(openBox(box, nonce, key)).toEqual(message);
  });

  it('opens what it sealed, and nothing that was changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, where) => {
        const [k, n] = [randomBytes(32), randomBytes(24)];
        const sealed = sealBox(Buffer.from(bytes), n, k);
        expect(openBox(sealed, n, k)).toEqual(Buffer.from(bytes));
        sealed[where % sealed.length]! ^= 1;
        expect(openBox(sealed, n, k)).toBeUndefined();
      }),
    );
    expect(openBox(box.subarray(0, 15), nonce, key)).toBeUndefined();
    expect(openBox(box, nonce, Buffer.alloc(32))).toBeUndefined();
    expect(openBox(box, Buffer.alloc(24), key)).toBeUndefined();
  });
});
