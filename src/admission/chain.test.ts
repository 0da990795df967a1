import { describe, expect, it } from 'vitest';
import { attributes } from './attributes.suite.js';
import { AdmissionChain, enabledPlugins } from './chain.js';
import type { AdmissionPlugin, Reinvocation } from './contract.js';

const plugin = (name: string, over: Partial<AdmissionPlugin>): AdmissionPlugin => ({
  name,
  handles: () => true,
  ...over,
});

describe('the chain', () => {
  it('runs plugins in the documented order, whatever order they come in', async () => {
    const ran: string[] = [];
    const note = (name: string) =>
      plugin(name, { admit: () => void ran.push(name), validate: () => void ran.push(`v ${name}`) });
    const chain = new AdmissionChain([
      note('ResourceQuota'),
      note('MutatingAdmissionWebhook'),
      note('NamespaceLifecycle'),
    ]);
    await chain.admit(attributes());
    await chain.validate(attributes());
    const order = ['NamespaceLifecycle', 'MutatingAdmissionWebhook', 'ResourceQuota'];
    expect(ran).toEqual([...order, ...order.map((name) => `v ${name}`)]);
  });

  it('stops at the first rejection, and leaves out who does not handle the operation', async () => {
    const ran: string[] = [];
    const chain = new AdmissionChain([
      plugin('NamespaceLifecycle', { handles: (o) => o === 'DELETE', admit: () => void ran.push('lifecycle') }),
      plugin('LimitRanger', {
        async admit() {
          throw new Error('no');
        },
      }),
      plugin('ResourceQuota', { admit: () => void ran.push('quota') }),
    ]);
    await expect(chain.admit(attributes())).rejects.toThrow('no');
    expect(ran).toEqual([]);
  });

  it('runs a second round for who asks for it, and no third', async () => {
    const rounds: boolean[] = [];
    const kept: number[] = [];
    const asks = plugin('MutatingAdmissionWebhook', {
      admit(_, reinvocation: Reinvocation) {
        rounds.push(reinvocation.again);
        kept.push(reinvocation.memory('me', () => [0])[0]!++);
        reinvocation.request();
      },
    });
    const chain = new AdmissionChain([asks]);
    await chain.admit(attributes());
    expect(rounds).toEqual([false, true]);
    expect(kept).toEqual([0, 1]);
    await chain.admit(attributes());
    expect(kept).toEqual([0, 1, 0, 1]);
  });

  it('has no second round after a rejection', async () => {
    let rounds = 0;
    const chain = new AdmissionChain([
      plugin('LimitRanger', {
        admit(_, reinvocation) {
          rounds++;
          reinvocation.request();
        },
      }),
      plugin('ResourceQuota', {
        admit() {
          throw new Error('no');
        },
      }),
    ]);
    await expect(chain.admit(attributes())).rejects.toThrow('no');
    expect(rounds).toBe(1);
  });

  it('closes its plugins', async () => {
    let closed = 0;
    const chain = new AdmissionChain([
      plugin('LimitRanger', { close: () => void closed++ }),
      plugin('ResourceQuota', {}),
    ]);
    await chain.close();
    expect(closed).toBe(1);
  });
});

describe('enabled plugins', () => {
  it('are the defaults with what flags say', () => {
    const on = enabledPlugins(['NodeRestriction'], ['LimitRanger']);
    expect(on.has('NodeRestriction')).toBe(true);
    expect(on.has('LimitRanger')).toBe(false);
    expect(on.has('MutatingAdmissionPolicy')).toBe(true);
  });

  it('are refused when nobody knows them', () => {
    expect(() => enabledPlugins(['Nothing'], [])).toThrow('enable-admission-plugins plugin "Nothing" is unknown');
  });
});
