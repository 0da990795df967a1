import { notFound, StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { ApiRequest } from '../api-request.js';
import { backendError, MAX_ERROR_BYTES } from './backend-error.js';
import { askBackend } from './http-backend.js';
import type { Kubelets } from './kubelets.js';
import { networkFault } from './network.js';
import { logOptions } from './options.js';
import { chooseContainer, nodeOf } from './pod.js';
import { readText, streamBody } from './stream-body.js';
import { type Location, urlOf } from './target.js';

export interface LogParts {
  pod(namespace: string, name: string): Promise<KubeObject | undefined>;
  readonly kubelets: Kubelets;
  readonly dialTimeoutMs: number;
  /** Gate PodLogsQuerySplitStreams. */
  readonly splitStreams: boolean;
}

const PODS = { group: '', resource: 'pods' };

/** GET of `pods/<name>/log`: what a container wrote, from its kubelet. No content while the pod has no node. */
export async function sendLog(request: ApiRequest, parts: LogParts): Promise<void> {
  const { info, response, query } = request;
  const options = logOptions(query, info.name, parts.splitStreams);
  const pod = await parts.pod(info.namespace, info.name);
  if (!pod) throw notFound(PODS, info.name);
  const container = chooseContainer(pod, options.container);
  const node = nodeOf(pod);
  if (node === '') {
    response.head(204, request.answerHeaders({}));
    response.end();
    return;
  }
  const kubelet = await parts.kubelets.find(node, PODS);
  const location: Location = {
    ...kubelet,
    tls: options.insecureSkipTLSVerifyBackend ? { ...kubelet.tls, insecure: true } : kubelet.tls,
    path: `/containerLogs/${info.namespace}/${info.name}/${container}`,
    query: options.query,
  };
  const { dialTimeoutMs } = parts;
  const asked = {
    method: 'GET',
    headers: {},
    body: undefined,
    connectTimeoutMs: dialTimeoutMs,
    signal: request.signal,
  };
  const incoming = await askBackend(location, asked).catch((e: unknown) => {
    throw new StatusError(500, '', `Get "${urlOf(location)}": ${networkFault(e, location)}`);
  });
  const status = incoming.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    incoming.destroy();
    throw new StatusError(500, '', `Get "${urlOf(location)}": redirects forbidden`);
  }
  if (status < 200 || status > 206) {
    throw backendError(
      status,
      await readText(incoming, MAX_ERROR_BYTES),
      { group: '', resource: 'pods/log' },
      info.name,
    );
  }
  response.head(200, request.answerHeaders({ 'Content-Type': 'text/plain' }));
  await streamBody(incoming, response);
}
