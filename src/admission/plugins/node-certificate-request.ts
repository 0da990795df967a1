import { isMirrorPod, nodeNameOf, specOf } from '../../auth/authorization/node/references.js';
import { internalError } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';
import { rejectedBy } from '../errors.js';

/** Reads an object that must exist, by the singular name of its resource in the core group. */
export type Finder = (kind: string, namespace: string, name: string) => Promise<KubeObject>;

/**
 * A node asks for certificates of the pods that run on it, naming node, pod and account as they are now. What does not
 * fit may be a matter of moments, so that most of it is an internal error, which kubelets try again.
 */
export async function admitCertificateRequest(node: string, a: AdmissionAttributes, find: Finder): Promise<void> {
  if (a.operation !== 'CREATE') throw rejectedBy(a, `unexpected operation ${a.operation}`);
  if (a.subresource) throw rejectedBy(a, `unexpected subresource ${a.subresource}`);
  const spec = a.object ? specOf(a.object) : {};
  const field = (name: string) => String(spec[name] ?? '');
  const q = (name: string) => goQuote(field(name));
  const podKey = goQuote(`${a.namespace}/${field('podName')}`);
  const what = `PodCertificateRequest for pod ${podKey}`;
  const must = async (kind: string, shown: string, namespace: string, name: string): Promise<KubeObject> => {
    try {
      return await find(kind, namespace, name);
    } catch (e) {
      const title = kind === 'serviceaccount' ? 'service account' : kind;
      throw internalError(
        `while retrieving ${title} ${shown} named in the PodCertificateRequest: ${(e as Error).message}`,
      );
    }
  };

  if (field('nodeName') !== node) {
    const text = `PodCertificateRequest.Spec.NodeName=${q('nodeName')}, which is not the requesting node`;
    throw rejectedBy(a, `${text} ${goQuote(node)}`);
  }
  const { uid: nodeUid = '' } = (await must('node', goQuote(node), '', node)).metadata;
  if (nodeUid !== field('nodeUID')) {
    const text = `${what} names node UID ${q('nodeUID')}, inconsistent with the running node (${goQuote(nodeUid)})`;
    throw internalError(text);
  }
  const pod = await must('pod', podKey, a.namespace, field('podName'));
  const { uid: podUid = '' } = pod.metadata;
  if (podUid !== field('podUID')) {
    const text = `${what} contains pod UID (${q('podUID')}) which differs from running pod ${goQuote(podUid)}`;
    throw internalError(text);
  }
  if (nodeNameOf(pod) !== node) {
    throw rejectedBy(a, `pod ${podKey} is not running on node ${goQuote(node)} named in the PodCertificateRequest`);
  }
  if (isMirrorPod(pod)) throw rejectedBy(a, `pod ${podKey} is a mirror pod`);
  const running = String(specOf(pod).serviceAccountName ?? '');
  if (field('serviceAccountName') !== running) {
    const text = `${what} contains serviceAccountName (${q('serviceAccountName')}) that differs from running pod`;
    throw rejectedBy(a, `${text} (${goQuote(running)})`);
  }
  const account = await must('serviceaccount', goQuote(`${a.namespace}/${running}`), a.namespace, running);
  const { uid: accountUid = '' } = account.metadata;
  if (accountUid !== field('serviceAccountUID')) {
    const text = `${what} names service account UID ${q('serviceAccountUID')}, which differs from the running service account`;
    throw internalError(`${text} (${goQuote(accountUid)})`);
  }
}
