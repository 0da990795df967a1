import type { Authorizer, UserInfo } from '../../auth/contract.js';

/** What may be done in the name of a signer: the verbs on the synthetic resource `signers`. */
export type SignerVerb = 'approve' | 'sign' | 'attest';

/** Whether a user may act for a signer, named in full or by a grant on all signers of its domain (`example.com/*`). */
export async function mayActFor(
  authorizer: Authorizer,
  user: UserInfo,
  verb: SignerVerb,
  signerName: string,
): Promise<boolean> {
  const [domain = ''] = signerName.split('/');
  for (const name of [signerName, `${domain}/*`]) {
    const { verdict } = await authorizer.authorize({
      user,
      verb,
      name,
      isResourceRequest: true,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      path: '',
    });
    if (verdict === 'Allow') return true;
  }
  return false;
}
