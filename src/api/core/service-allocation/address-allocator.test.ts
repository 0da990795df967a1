import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressAllocator, type AddressRecords } from './address-allocator.js';
import { addressRange, addressText, readAddress } from './address-range.js';

const OWNER = { namespace: 'ns', name: 's' };

/** Records as a store keeps them, told to the allocator as a subscription would. */
function records(): AddressRecords & { readonly held: Set<string>; allocator?: AddressAllocator } {
  const held = new Set<string>();
  const self: ReturnType<typeof records> = {
    held,
    async create(address) {
      await Promise.resolve();
      if (held.has(address)) return false;
      held.add(address);
      self.allocator?.recordAdded(address);
      return true;
    },
    async remove(address) {
      held.delete(address);
      self.allocator?.recordRemoved(address);
    },
  };
  return self;
}

function allocator(cidrs: string[], random: () => number = Math.random) {
  const store = records();
  const made = new AddressAllocator(store, random);
  store.allocator = made;
  made.setNetworks('kubernetes', cidrs, true);
  return { made, store };
}

describe('networks', () => {
  it.each([
    ['10.96.0.0/12', '10.96.0.1', '10.111.255.254', '10.96.1.1'],
    ['10.0.0.0/24', '10.0.0.1', '10.0.0.254', '10.0.0.17'],
    ['10.0.0.0/28', '10.0.0.1', '10.0.0.14', '10.0.0.17'],
    ['10.0.0.0/29', '10.0.0.1', '10.0.0.6', '10.0.0.1'],
    ['fd00:1::/64', 'fd00:1::1', 'fd00:1::ffff:ffff:ffff:ffff', 'fd00:1::101'],
  ])('%s: usable addresses, and where dynamic ones begin', (cidr, first, last, dynamic) => {
    const range = addressRange(cidr)!;
    const text = (value: bigint) => addressText(range.family, value);
    expect([text(range.first), text(range.last), text(range.dynamic)]).toEqual([first, last, dynamic]);
  });

  it('knows what is no network', () => {
    expect([addressRange('10.0.0.0'), addressRange('x/8'), addressRange('')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('writes every address as it reads it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        const text = addressText('IPv6', value);
        const back = readAddress(text)!;
        // Mapped IPv4 addresses are read as what they stand for.
        expect(back.family === 'IPv6' ? back.value : value).toBe(value);
      }),
    );
  });
});

describe('AddressAllocator', () => {
  it('gives dynamic addresses first, then the others, then none', async () => {
    const { made } = allocator(['10.0.0.0/27'], () => 0);
    const got: string[] = [];
    for (let i = 0; i < 30; i++) got.push(await made.takeAny(OWNER, 'IPv4'));
    expect([got[0], got[13], got[14], got[29]]).toEqual(['10.0.0.17', '10.0.0.30', '10.0.0.1', '10.0.0.16']);
    await expect(made.takeAny(OWNER, 'IPv4')).rejects.toThrow('range is full');
  });

  it('never gives one address to two, whatever is asked for and given back at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('any'), fc.integer({ min: 0, max: 31 })), { maxLength: 60 }),
        async (wishes) => {
          const { made, store } = allocator(['10.0.0.0/27']);
          const results = await Promise.allSettled(
            wishes.map(async (wish) => {
              if (wish === 'any') return made.takeAny(OWNER, 'IPv4');
              const address = `10.0.0.${wish}`;
              await made.take(OWNER, address);
              return address;
            }),
          );
          const given = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
          expect(new Set(given).size).toBe(given.length);
          expect(new Set(given)).toEqual(store.held);
          await Promise.all(given.map((a) => made.release(a)));
          expect(store.held.size).toBe(0);
          await made.takeAny(OWNER, 'IPv4');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses by name what is taken, and what lies in no network', async () => {
    const { made } = allocator(['10.0.0.0/24']);
    await made.take(OWNER, '10.0.0.9');
    await expect(made.take(OWNER, '10.0.0.9')).rejects.toThrow('provided IP is already allocated');
    for (const address of ['10.0.1.1', '10.0.0.0', '10.0.0.255', 'fd00::1', 'x'])
      await expect(made.take(OWNER, address)).rejects.toThrow('the provided network does not match the current range');
  });

  it('passes over addresses that another server recorded meanwhile', async () => {
    const { made, store } = allocator(['10.0.0.0/29'], () => 0);
    store.held.add('10.0.0.1');
    expect(await made.takeAny(OWNER, 'IPv4')).toBe('10.0.0.2');
  });

  it('takes nothing from networks that are not ready, and something as soon as one is', async () => {
    const { made } = allocator(['10.0.0.0/30']);
    made.setNetworks('kubernetes', ['10.0.0.0/30'], false);
    await expect(made.takeAny(OWNER, 'IPv4')).rejects.toThrow('range is full');
    await expect(made.take(OWNER, '10.0.0.1')).rejects.toThrow('does not match');
    made.setNetworks('more', ['10.1.0.0/30', 'fd00::/120'], true);
    expect(await made.takeAny(OWNER, 'IPv4')).toMatch(/^10\.1\.0\.[12]$/);
    expect(await made.takeAny(OWNER, 'IPv6')).toMatch(/^fd00::/);
    made.removeNetworks('more');
    await expect(made.takeAny(OWNER, 'IPv6')).rejects.toThrow('range is full');
  });

  it('keeps an address free when its record can not be written', async () => {
    const { made, store } = allocator(['10.0.0.0/30']);
    const { create } = store;
    store.create = () => Promise.reject(new Error('disk full'));
    await expect(made.take(OWNER, '10.0.0.1')).rejects.toThrow('disk full');
    store.create = create;
    await made.take(OWNER, '10.0.0.1');
  });

  it('shows on a dry run what it may, and takes nothing', () => {
    const { made, store } = allocator(['10.0.0.0/24']);
    expect(made.sample('IPv4')).toBe('10.0.0.0');
    expect(() => made.check('10.0.0.4')).not.toThrow();
    expect(() => made.check('1.2.3.4')).toThrow(
      'the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.0.0.0/24',
    );
    expect(store.held.size).toBe(0);
  });
});
