import type { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../controlplane.js';
import type { JsonObject } from '../machinery/json.js';
import { issue } from '../server/transport/pki.suite.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const running: ControlPlane[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((cp) => cp.close()));
});

async function start(options: ControlPlaneOptions): Promise<ControlPlane> {
  const cp = await startControlPlane({ controllers: [], disableAdmissionPlugins: ['ServiceAccount'], ...options });
  running.push(cp);
  return cp;
}

async function ask(cp: ControlPlane, method: string, path: string, body?: object) {
  const answer = await cp.inject({ method, path, body, headers: { 'content-type': 'application/json' }, user: ADMIN });
  return { status: answer.status, headers: answer.headers, body: await answer.json<JsonObject>() };
}

const portOf = (cp: ControlPlane) => Number(new URL(cp.url).port);

/** The certificate that a client with these settings is shown; rejects when they find nothing in common. */
function handshake(cp: ControlPlane, settings: object = {}): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: portOf(cp), host: '127.0.0.1', ca: cp.caCertificate, ...settings }, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('privileged containers', () => {
  const pod = (name: string, securityContext: object, spec: object = {}) => ({
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i', securityContext }], ...spec },
  });
  const PODS = '/api/v1/namespaces/default/pods';

  it('are allowed unless an administrator says otherwise', async () => {
    const cp = await start({});
    expect((await ask(cp, 'POST', PODS, pod('a', { privileged: true }))).status).toBe(201);
  });

  it('are disallowed by cluster policy', async () => {
    const cp = await start({ allowPrivileged: false });
    const refused = await ask(cp, 'POST', PODS, pod('a', { privileged: true }));
    expect(refused.status).toBe(422);
    expect(refused.body.message).toBe(
      'Pod "a" is invalid: spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy',
    );
    const host = { windowsOptions: { hostProcess: true } };
    const windows = await ask(cp, 'POST', PODS, pod('w', host, { hostNetwork: true, os: { name: 'windows' } }));
    expect(windows.body.message).toContain('hostProcess containers are disallowed by cluster policy');
    expect((await ask(cp, 'POST', PODS, pod('b', { privileged: false }))).status).toBe(201);
  });
});

describe('TLS', () => {
  it('uses the curves that are named and no others', async () => {
    const cp = await start({ tlsCurvePreferences: ['24', '23'] });
    await expect(handshake(cp, { ecdhCurve: 'P-384' })).resolves.toBeDefined();
    await expect(handshake(cp, { ecdhCurve: 'P-256' })).resolves.toBeDefined();
    await expect(handshake(cp, { ecdhCurve: 'X25519' })).rejects.toThrow();
    await expect(start({ tlsCurvePreferences: ['29', '1'] })).rejects.toThrow('unsupported curve ID: 1');
  });

  it('keeps its certificate in a directory', async () => {
    const certDir = mkdtempSync(join(tmpdir(), 'porthole-certs-'));
    try {
      const first = await handshake(await start({ certDir }));
      expect(readdirSync(certDir).sort()).toEqual(['apiserver.crt', 'apiserver.key']);
      // The second has an authority of its own, and the certificate of the first.
      const second = await handshake(await start({ certDir }), { rejectUnauthorized: false });
      expect(second.fingerprint256).toBe(first.fingerprint256);
      const other = await handshake(await start({}), { rejectUnauthorized: false });
      expect(other.fingerprint256).not.toBe(first.fingerprint256);
    } finally {
      rmSync(certDir, { recursive: true });
    }
  });

  it('shows the certificate of the name that a client asks for, and new ones as they come', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'porthole-sni-'));
    try {
      const file = (name: string, text: string): string => {
        const path = join(directory, name);
        writeFileSync(path, text);
        return path;
      };
      const pair = async (name: string, subject: string, names: string[] = []) => {
        const { cert, key } = await issue(subject, undefined, names);
        return { flag: `${file(`${name}.crt`, cert)},${file(`${name}.key`, key)}`, subject };
      };
      const [main, own, wild, given] = await Promise.all([
        pair('main', 'CN=main'),
        pair('own', 'CN=own', ['a.example', 'b.example']),
        pair('wild', 'CN=wild', ['*.example']),
        pair('given', 'CN=given', ['ignored.example']),
      ]);
      const [tlsCertFile, tlsPrivateKeyFile] = main.flag.split(',') as [string, string];
      const tlsSniCertKey = [wild.flag, own.flag, `${given.flag}:b.example`];
      const cp = await start({ tlsCertFile, tlsPrivateKeyFile, tlsSniCertKey });
      const shown = async (servername: string) =>
        (await handshake(cp, { servername, rejectUnauthorized: false })).subject;
      expect(await shown('a.example')).toBe('CN=own');
      expect(await shown('b.example')).toBe('CN=given');
      expect(await shown('c.example')).toBe('CN=wild');
      expect(await shown('c.other')).toBe('CN=main');
      const next = await issue('CN=next', undefined, []);
      file('main.key', next.key);
      file('main.crt', next.cert);
      await expect.poll(() => shown('c.other'), { timeout: 10_000 }).toBe('CN=next');
      await expect(start({ tlsSniCertKey: ['one'] })).rejects.toThrow(
        '--tls-sni-cert-key one: expected comma separated',
      );
      await expect(start({ tlsSniCertKey: ['a,b:'] })).rejects.toThrow('empty domain name');
      await expect(start({ tlsSniCertKey: ['/no/a,/no/b'] })).rejects.toThrow('ENOENT');
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 20_000);

  it('tells HTTP/2 clients how many streams they may have', async () => {
    const streams = async (options: ControlPlaneOptions): Promise<number | undefined> => {
      const cp = await start(options);
      const session = connectHttp2(cp.url, { ca: cp.caCertificate });
      const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve, reject) => {
        session.on('remoteSettings', resolve).on('error', reject);
      });
      session.destroy();
      return settings.maxConcurrentStreams;
    };
    expect(await streams({ http2MaxStreams: 7 })).toBe(7);
    expect(await streams({})).toBe(100);
  });
});

describe('one port', () => {
  it('is for one process unless it is shared', async () => {
    const cp = await start({});
    await expect(start({ port: portOf(cp) })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the kubernetes service', () => {
  it('has no endpoints when nobody is to write them', async () => {
    const [on, off] = await Promise.all(
      [true, false].map((reconcileEndpoints) => start({ reconcileEndpoints, advertiseAddress: '192.0.2.7' })),
    );
    for (const path of [
      '/api/v1/namespaces/default/endpoints/kubernetes',
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes',
    ]) {
      expect((await ask(on!, 'GET', path)).status).toBe(200);
      expect((await ask(off!, 'GET', path)).status).toBe(404);
    }
    expect((await ask(off!, 'GET', '/api/v1/namespaces/default/services/kubernetes')).status).toBe(200);
  });
});

describe('requests', () => {
  it('are answered with the headers that are asked for', async () => {
    const cp = await start({ hstsDirectives: ['max-age=9'], corsAllowedOrigins: ['^https://a$'] });
    const answer = await cp.inject({ path: '/version', headers: { origin: 'https://a' } });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'strict-transport-security': 'max-age=9',
      'access-control-allow-origin': 'https://a',
    });
    // Who asks before asking has not said who it is.
    const preflight = await cp.inject({ method: 'OPTIONS', path: '/api/v1/pods', headers: { origin: 'https://a' } });
    expect(preflight.status).toBe(204);
    expect(
      (await cp.inject({ method: 'OPTIONS', path: '/api/v1/pods', headers: { origin: 'https://b' } })).status,
    ).toBe(403);
    await expect(start({ corsAllowedOrigins: ['a'] })).rejects.toThrow('--cors-allowed-origins');
    await expect(start({ goawayChance: 1 })).rejects.toThrow('--goaway-chance');
  });

  it('delete a collection one by one as well', async () => {
    const cp = await start({ deleteCollectionWorkers: 1 });
    const path = '/api/v1/namespaces/default/secrets';
    for (const name of ['a', 'b', 'c']) await ask(cp, 'POST', path, { metadata: { name } });
    expect((await ask(cp, 'DELETE', path)).status).toBe(200);
    expect((await ask(cp, 'GET', path)).body.items).toEqual([]);
  });

  it('set no finalizers for garbage collection where there is none', async () => {
    const cp = await start({ garbageCollection: false });
    const path = '/api/v1/namespaces/default/secrets';
    for (const [name, query, left] of [
      ['a', '?propagationPolicy=Foreground', 404],
      ['b', '?propagationPolicy=Orphan', 404],
      ['c', '', 404],
    ] as const) {
      await ask(cp, 'POST', path, { metadata: { name } });
      await ask(cp, 'DELETE', `${path}/${name}${query}`);
      expect((await ask(cp, 'GET', `${path}/${name}`)).status).toBe(left);
    }
    const other = await start({});
    await ask(other, 'POST', path, { metadata: { name: 'a' } });
    await ask(other, 'DELETE', `${path}/a?propagationPolicy=Foreground`);
    expect((await ask(other, 'GET', `${path}/a`)).status).toBe(200);
  });

  it('that are under way are answered when the server leaves, new ones are sent elsewhere', async () => {
    const cp = await startControlPlane({ controllers: [], shutdownSendRetryAfter: true });
    let finish = (): void => {};
    async function* slowly() {
      yield Buffer.from('{"metadata":{"name":"slow"}');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      yield Buffer.from('}');
    }
    const headers = { 'content-type': 'application/json' };
    const path = '/api/v1/namespaces/default/secrets';
    const slow = cp.inject({ method: 'POST', path, headers, body: slowly(), user: ADMIN });
    await expect.poll(() => finish.toString()).toContain('native');
    const closed = cp.close();
    await expect.poll(async () => (await cp.inject({ path: '/version', user: ADMIN })).status).toBe(429);
    expect((await cp.inject({ path: '/livez', user: ADMIN })).status).toBe(200);
    finish();
    expect((await slow).status).toBe(201);
    await closed;
  });
});

describe('metrics', () => {
  it('are left out, and their labels kept to what is allowed', async () => {
    const metrics = {
      disabled: ['apiserver_request_duration_seconds'],
      allowedLabels: { 'apiserver_request_total,code': ['200'] },
    };
    const cp = await start({ metrics });
    await ask(cp, 'GET', '/api/v1/namespaces/default');
    await ask(cp, 'GET', '/api/v1/namespaces/none');
    const text = await (await cp.inject({ path: '/metrics', user: ADMIN })).text();
    expect(text).not.toContain('apiserver_request_duration_seconds');
    expect(text).toMatch(/apiserver_request_total\{code="200",.*resource="namespaces"/);
    expect(text).toMatch(/apiserver_request_total\{code="unexpected",.*resource="namespaces"/);
    expect(text).not.toMatch(/apiserver_request_total\{code="404"/);
    await expect(start({ metrics: { allowedLabels: { total: ['x'] } } })).rejects.toThrow('total is not metric,label');
  });
});

describe('the address that others are told', () => {
  const told = async (cp: ControlPlane) => [
    (await ask(cp, 'GET', '/.well-known/openid-configuration')).body.jwks_uri,
    ((await ask(cp, 'GET', '/api')).body.serverAddressByClientCIDRs as JsonObject[])[0]!.serverAddress,
  ];
  it.each<[ControlPlaneOptions, (port: number) => string]>([
    [{ advertiseAddress: '192.0.2.10' }, (port) => `192.0.2.10:${port}`],
    [{ advertiseAddress: '2001:db8::1' }, (port) => `[2001:db8::1]:${port}`],
    [{ externalHostname: 'api.example', advertiseAddress: '192.0.2.10' }, (port) => `api.example:${port}`],
    [{ externalHostname: 'api.example:8443' }, () => 'api.example:8443'],
  ])('of %j has the port', async (options, address) => {
    const authentication = { serviceAccountIssuer: ['https://issuer.example'] };
    const cp = await start({ ...options, authentication });
    const wanted = address(portOf(cp));
    expect(await told(cp)).toEqual([`https://${wanted}/openid/v1/jwks`, wanted]);
  });

  it.each(['127.0.0.1', '::1'])('is no endpoint of the service when it is %s', async (advertiseAddress) => {
    const said: string[] = [];
    const cp = await start({ advertiseAddress, log: (_, text) => said.push(text) });
    expect(said).toContainEqual(expect.stringContaining(`--advertise-address ${advertiseAddress}`));
    expect((await ask(cp, 'GET', '/api/v1/namespaces/default/services/kubernetes')).status).toBe(200);
    expect((await ask(cp, 'GET', '/api/v1/namespaces/default/endpoints/kubernetes')).status).toBe(404);
  });
});
