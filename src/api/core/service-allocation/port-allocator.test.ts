import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PortAllocator, parsePortRange, portTaker } from './port-allocator.js';

describe('parsePortRange', () => {
  it('reads first-last and first+size', () => {
    expect(parsePortRange('30000-32767')).toEqual({ first: 30000, last: 32767 });
    expect(parsePortRange('80+10')).toEqual({ first: 80, last: 89 });
  });
  it.each(['', '80', 'a-b', '2-1', '0-5', '1-70000', '1--5'])('refuses %j', (text) => {
    expect(() => parsePortRange(text)).toThrow('invalid port range');
  });
});

describe('PortAllocator', () => {
  it('gives ports above the static band first', () => {
    const ports = new PortAllocator({ first: 30000, last: 32767 }, () => 0);
    expect(ports.takeAny()).toBe(30086);
    expect(new PortAllocator({ first: 1, last: 16 }, () => 0).takeAny()).toBe(1);
  });

  it('gives every port once, then none', () => {
    const ports = new PortAllocator({ first: 100, last: 139 }, Math.random);
    const got = Array.from({ length: 40 }, () => ports.takeAny());
    expect(new Set(got).size).toBe(40);
    expect(() => ports.takeAny()).toThrow('range is full');
  });

  it('refuses what is taken or outside', () => {
    const ports = new PortAllocator({ first: 100, last: 200 }, Math.random);
    ports.portUsed(150);
    expect(() => ports.take(150)).toThrow('provided port is already allocated');
    expect(() => ports.take(99)).toThrow(
      'provided port is not in the valid range. The range of valid ports is 100-200',
    );
  });

  it('keeps a port as long as any service has it', () => {
    const ports = new PortAllocator({ first: 100, last: 200 }, Math.random);
    ports.portUsed(150);
    ports.portUsed(150);
    ports.portFreed(150);
    expect(ports.has(150)).toBe(true);
    ports.portFreed(150);
    expect(ports.has(150)).toBe(false);
  });

  it('forgets what a write took once it is over', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 120 })), (wishes) => {
        const ports = new PortAllocator({ first: 100, last: 120 }, Math.random);
        const taker = portTaker(ports, false);
        const taken = wishes.filter((port) => {
          try {
            taker.take(port);
            return true;
          } catch {
            return false;
          }
        });
        expect(new Set(taken).size).toBe(taken.length);
        taker.settle();
        expect(taken.some((port) => ports.has(port))).toBe(false);
      }),
    );
  });

  it('takes nothing on a dry run, but refuses what could not be had', () => {
    const ports = new PortAllocator({ first: 30000, last: 32767 }, Math.random);
    ports.portUsed(30001);
    const taker = portTaker(ports, true);
    taker.take(30002);
    expect(() => taker.take(30002)).toThrow('already allocated');
    expect(() => taker.take(30001)).toThrow('already allocated');
    expect([taker.takeAny(), taker.takeAny()]).toEqual([32769, 32770]);
    taker.settle();
    expect(ports.has(30002)).toBe(false);
  });
});
