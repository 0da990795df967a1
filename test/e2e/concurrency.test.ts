import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../src/index.js';

const ADMIN = { name: 'admin', groups: ['system:masters'] };
const CLIENTS = 64;

let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await startControlPlane({ serviceClusterIpRanges: ['10.96.0.0/16'] });
}, 60_000);
afterAll(() => controlPlane.close());

interface Answer {
  status: number;
  body: { metadata: { resourceVersion: string }; data?: Record<string, string>; spec?: { clusterIP?: string } };
}

async function send(method: string, path: string, body?: object, contentType = 'application/json'): Promise<Answer> {
  const headers = { 'content-type': contentType };
  const answer = await controlPlane.inject({ method, path, body, headers, user: ADMIN });
  return { status: answer.status, body: await answer.json() };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const together = <T>(n: number, run: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => run(i)));

describe('many clients at once', () => {
  it('optimistic concurrency loses no update', async () => {
    await send('POST', MAPS, { metadata: { name: 'counter' }, data: { n: '0' } });
    let conflicts = 0;
    await together(CLIENTS, async () => {
      for (let attempt = 0; attempt < 2000; attempt++) {
        const { body } = await send('GET', `${MAPS}/counter`);
        const next = { ...body, data: { n: `${Number(body.data?.n) + 1}` } };
        const { status } = await send('PUT', `${MAPS}/counter`, next);
        if (status === 200) return;
        expect(status).toBe(409);
        conflicts++;
      }
      throw new Error('one client never got through');
    });
    expect((await send('GET', `${MAPS}/counter`)).body.data?.n).toBe(`${CLIENTS}`);
    expect(conflicts).toBeGreaterThan(0);
  });

  it('JSON patches without a resourceVersion all arrive', async () => {
    await send('POST', MAPS, { metadata: { name: 'list' }, data: {} });
    const answers = await together(CLIENTS, (i) =>
      send('PATCH', `${MAPS}/list`, [{ op: 'add', path: `/data/k${i}`, value: 'x' }], 'application/json-patch+json'),
    );
    // The first one finds no data to add to: an empty map is not stored.
    const failed = answers.filter((a) => a.status !== 200).length;
    const kept = Object.keys((await send('GET', `${MAPS}/list`)).body.data ?? {}).length;
    expect(kept).toBe(CLIENTS - failed);
  });

  it('appending by JSON patch loses none', async () => {
    await send('POST', MAPS, { metadata: { name: 'appended', finalizers: ['example.com/first'] } });
    const answers = await together(CLIENTS, (i) =>
      send(
        'PATCH',
        `${MAPS}/appended`,
        [{ op: 'add', path: '/metadata/finalizers/-', value: `example.com/n${i}` }],
        'application/json-patch+json',
      ),
    );
    expect(answers.every((a) => a.status === 200)).toBe(true);
    const { body } = await send('GET', `${MAPS}/appended`);
    const { finalizers } = body.metadata as unknown as { finalizers: string[] };
    expect(new Set(finalizers).size).toBe(CLIENTS + 1);
  });

  it('one name is created once', async () => {
    const answers = await together(CLIENTS, () => send('POST', MAPS, { metadata: { name: 'one' } }));
    expect(answers.filter((a) => a.status === 201)).toHaveLength(1);
    expect(answers.filter((a) => a.status === 409)).toHaveLength(CLIENTS - 1);
  });

  it('two thousand services share no address', async () => {
    const answers = await together(2000, (i) =>
      send('POST', '/api/v1/namespaces/default/services', {
        metadata: { name: `s${i}` },
        spec: { ports: [{ port: 80 }] },
      }),
    );
    expect(answers.filter((a) => a.status !== 201)).toEqual([]);
    expect(new Set(answers.map((a) => a.body.spec?.clusterIP)).size).toBe(2000);
  });
});
