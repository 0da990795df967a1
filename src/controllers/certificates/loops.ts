import type { Authorizer } from '../../auth/contract.js';
import type { Authority, Random } from '../../auth/pki/issue.js';
import { isStatusError } from '../../machinery/errors.js';
import type { Controller, ControllerParts } from '../contract.js';
import { WorkQueue } from '../work-queue.js';
import { approveKubeletClient } from './approver.js';
import { isPastDeadline } from './cleaner.js';
import { signCertificateRequest } from './signer.js';

const REQUESTS = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' };
const YEAR = 365 * 86_400_000;
const HOUR = 3_600_000;

/** Works on every CertificateSigningRequest that is added or changes. */
function requestLoop(
  { client, log }: ControllerParts,
  name: string,
  work: (request: string) => Promise<number | undefined>,
): Controller {
  let stopWatching: (() => void) | undefined;
  const queue = new WorkQueue({
    workers: 2,
    async work(request) {
      try {
        return await work(request);
      } catch (e) {
        if (isStatusError(e, 'NotFound')) return undefined;
        throw e;
      }
    },
    failed: (request, e) => log('warning', `${name} ${request}: ${String(e)}`),
  });
  return {
    name,
    async start() {
      stopWatching = await client.subscribe(REQUESTS, ({ type, object }) => {
        if (type !== 'DELETED') queue.add(object.metadata.name ?? '');
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}

/** Signs approved requests for the built-in signers. */
export function signingController(parts: ControllerParts, authority: () => Authority, random: Random): Controller {
  const { client, env } = parts;
  return requestLoop(parts, 'csrsigning', async (name) => {
    const request = await client.get(REQUESTS, '', name);
    const options = { authority: authority(), maxLifetime: YEAR, now: env.now().getTime(), random };
    const status = request && signCertificateRequest(request, options);
    if (!status) return undefined;
    await client.update(REQUESTS, '', name, (o) => ({ ...o, status }), {
      manager: 'kube-controller-manager',
      subresource: 'status',
    });
    return undefined;
  });
}

/** Approves client certificates of kubelets that may have them. */
export function approvingController(parts: ControllerParts, authorizer: Authorizer): Controller {
  const { client, env } = parts;
  return requestLoop(parts, 'csrapproving', async (name) => {
    const request = await client.get(REQUESTS, '', name);
    if (!request) return undefined;
    const isAllowed = async (attributes: Parameters<Authorizer['authorize']>[0]): Promise<boolean> =>
      (await authorizer.authorize(attributes)).verdict === 'Allow';
    const { status, denied } = await approveKubeletClient(request, isAllowed, env.now().getTime());
    if (denied) throw new Error(denied);
    if (!status) return undefined;
    await client.update(REQUESTS, '', name, (o) => ({ ...o, status }), {
      manager: 'kube-controller-manager',
      subresource: 'approval',
    });
    return undefined;
  });
}

/** Removes requests that have had their time, looking once an hour: nobody is to lose one that was just written. */
export function cleaningController({ client, env, log }: ControllerParts): Controller {
  const queue = new WorkQueue({
    workers: 1,
    async work() {
      for (const request of await client.list(REQUESTS)) {
        if (isPastDeadline(request, env.now().getTime())) await removeRequest(client, request.metadata.name ?? '');
      }
      return HOUR;
    },
    failed: (_key, e) => log('warning', `csrcleaner: ${String(e)}`),
  });
  return {
    name: 'csrcleaner',
    async start() {
      queue.add('');
    },
    stop: () => queue.close(),
  };
}

async function removeRequest(client: ControllerParts['client'], name: string): Promise<void> {
  try {
    await client.delete(REQUESTS, '', name);
  } catch (e) {
    if (!isStatusError(e, 'NotFound')) throw e;
  }
}
