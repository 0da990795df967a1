import { describe, expect, it } from 'vitest';
import { makeRequest } from '../../auth/pki/certificate-request.js';
import { generateKey } from '../../auth/pki/keys.js';
import { certificateApproval } from './certificate-approval.js';
import { certificateSigning } from './certificate-signing.js';
import { certificateSubjectRestriction } from './certificate-subject-restriction.js';
import { clusterTrustBundleAttest } from './cluster-trust-bundle-attest.js';
import { authorizer, clustered, run } from './plugins.suite.js';

const CSR = 'certificates.k8s.io/certificatesigningrequests';
const request = (status = {}, spec = {}) => clustered('r', { spec: { signerName: 'example.com/s', ...spec }, status });

describe('acting for a signer', () => {
  it('takes the right to, by its name or by its domain', async () => {
    const approve = (auth: ReturnType<typeof authorizer>) =>
      run(certificateApproval(auth), { on: `${CSR}/approval`, object: request(), oldObject: request() });
    const byName = authorizer((a) => a.name === 'example.com/s');
    expect((await approve(byName)).text).toBe('ok');
    expect(byName.asked).toMatchObject([
      { verb: 'approve', resource: 'signers', group: 'certificates.k8s.io', version: '*' },
    ]);
    const byDomain = authorizer((a) => a.name === 'example.com/*');
    expect((await approve(byDomain)).text).toBe('ok');
    expect(byDomain.asked.map((a) => a.name)).toEqual(['example.com/s', 'example.com/*']);
    const nobody = authorizer('NoOpinion');
    expect((await approve(nobody)).text).toBe(
      '403 certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with signerName "example.com/s"',
    );
  });
  it('counts the signer of the stored request', async () => {
    const auth = authorizer('NoOpinion');
    const oldObject = request({}, { signerName: 'real.example.com/s' });
    await run(certificateApproval(auth), { on: `${CSR}/approval`, object: request(), oldObject });
    expect(auth.asked.map((a) => a.name)).toEqual(['real.example.com/s', 'real.example.com/*']);
  });
  it('is asked for only where a certificate or a condition comes', async () => {
    const auth = authorizer('NoOpinion');
    const sign = async (object: ReturnType<typeof request>, on = `${CSR}/status`) =>
      (await run(certificateSigning(auth), { on, object, oldObject: request() })).text;
    expect(await sign(request())).toBe('ok');
    expect(await sign(request({ certificate: 'eA==' }), CSR)).toBe('ok');
    expect(auth.asked).toEqual([]);
    const text = 'user not permitted to sign requests with signerName "example.com/s"';
    expect(await sign(request({ certificate: 'eA==' }))).toContain(text);
    expect(await sign(request({ conditions: [{ type: 'Failed' }] }))).toContain(text);
  });
});

describe('client certificates', () => {
  const pem = (organization: string[]) =>
    Buffer.from(makeRequest({ commonName: 'alice', organization }, generateKey())).toString('base64');
  const create = async (encoded: string, signerName = 'kubernetes.io/kube-apiserver-client') => {
    const object = clustered('r', { spec: { signerName, request: encoded } });
    return (await run(certificateSubjectRestriction(), { on: CSR, object })).text;
  };
  it('are for any group but the masters', async () => {
    expect(await create(pem(['dev']))).toBe('ok');
    expect(await create(pem(['dev', 'system:masters']))).toBe(
      '403 certificatesigningrequests.certificates.k8s.io "r" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
    expect(await create(pem(['system:masters']), 'example.com/s')).toBe('ok');
  });
  it('are asked for with a readable request', async () => {
    expect(await create('eA==')).toContain('failed to parse CSR: PEM block type must be CERTIFICATE REQUEST');
  });
});

describe('trust bundles', () => {
  const bundle = (spec = {}, metadata = {}) => clustered('b', { spec }, metadata);
  const write = async (auth: ReturnType<typeof authorizer>, given: object, on = true) => {
    const plugin = clusterTrustBundleAttest({ authorizer: auth, gate: () => on });
    return (await run(plugin, { on: 'certificates.k8s.io/clustertrustbundles', ...given })).text;
  };
  const object = bundle({ signerName: 'example.com/s' });
  it('of a signer are written with the right to attest', async () => {
    expect(await write(authorizer('Allow'), { object })).toBe('ok');
    expect(await write(authorizer('NoOpinion'), { object })).toContain(
      'user not permitted to attest for signerName "example.com/s"',
    );
    expect(await write(authorizer('NoOpinion'), { object: bundle() })).toBe('ok');
    expect(await write(authorizer('NoOpinion'), { object }, false)).toBe('ok');
  });
  it('may lose owners and finalizers without it', async () => {
    const oldObject = bundle({ signerName: 'example.com/s' }, { finalizers: ['a'] });
    expect(await write(authorizer('NoOpinion'), { object, oldObject })).toBe('ok');
    const labelled = bundle({ signerName: 'example.com/s' }, { labels: { a: 'b' } });
    expect(await write(authorizer('NoOpinion'), { object: labelled, oldObject })).toContain('403');
  });
});
