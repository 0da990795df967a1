import { isJsonObject, type JsonObject } from '../../machinery/json.js';
import type { UserInfo } from '../contract.js';
import { intersect } from './audiences.js';
import type { TokenAuthenticator } from './contract.js';
import { refused } from './errors.js';
import type { HttpClient, IncomingResponse } from './http.js';

export interface TokenWebhookOptions {
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the Authorization header to the webhook. */
  readonly authorization?: string;
  readonly version: 'v1' | 'v1beta1';
  readonly apiAudiences: readonly string[];
  readonly sleep: (ms: number) => Promise<void>;
}

const TIMEOUT = 30_000;
/** Pauses between attempts: 500 ms, growing by a half each time. Upstream adds jitter; one server has no herd. */
const PAUSES = [500, 750, 1125, 1687] as const;

/** Asks a remote service with TokenReviews. Put a cache around it. */
export function tokenWebhookAuthenticator(options: TokenWebhookOptions): TokenAuthenticator {
  const { client, url, authorization, version, apiAudiences, sleep } = options;
  const apiVersion = `authentication.k8s.io/${version}`;

  async function review(token: string, audiences: readonly string[] | undefined): Promise<JsonObject> {
    const body = JSON.stringify({
      kind: 'TokenReview',
      apiVersion,
      metadata: {},
      spec: { token, ...(audiences && { audiences }) },
      status: { user: {} },
    });
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(authorization && { authorization }),
    };
    for (let attempt = 0; ; attempt++) {
      const pause = PAUSES[attempt];
      try {
        const answer = await client.request({ method: 'POST', url, headers, body, timeout: TIMEOUT });
        if (answer.status >= 200 && answer.status < 300) return statusOf(answer.body, apiVersion);
        if (pause === undefined || !mayPass(answer)) throw refused(`webhook answered with status ${answer.status}`);
      } catch (e) {
        if (pause === undefined || !isReset(e)) throw e;
      }
      await sleep(pause);
    }
  }

  return {
    name: 'webhook',
    async authenticateToken(token, wanted) {
      const status = await review(token, wanted);
      const named = texts(status.audiences);
      const shared = wanted && intersect(named.length > 0 ? named : apiAudiences, wanted);
      if (shared?.length === 0) return undefined;
      if (status.authenticated !== true) {
        if (typeof status.error === 'string' && status.error !== '') throw refused(status.error);
        return undefined;
      }
      return { user: userOf(status.user), via: 'webhook', ...(shared && { audiences: shared }) };
    },
  };
}

/** Overload and internal errors pass; a refusal does not. */
const mayPass = ({ status, headers }: IncomingResponse): boolean =>
  status === 429 || status === 500 || status === 504 || headers['retry-after'] !== undefined;

const isReset = (e: unknown): boolean =>
  e instanceof Error && ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes((e as NodeJS.ErrnoException).code ?? '');

function statusOf(body: string, apiVersion: string): JsonObject {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw refused('webhook answered with something that is not JSON');
  }
  const fits =
    isJsonObject(answer) &&
    (answer.kind === undefined || answer.kind === 'TokenReview') &&
    (answer.apiVersion === undefined || answer.apiVersion === apiVersion);
  if (!fits) throw refused(`webhook answered with something that is not a TokenReview of ${apiVersion}`);
  return isJsonObject(answer) && isJsonObject(answer.status) ? answer.status : {};
}

function userOf(value: unknown): UserInfo {
  const user = isJsonObject(value) ? value : {};
  const text = (name: string): string => (typeof user[name] === 'string' ? user[name] : '');
  const extra = isJsonObject(user.extra)
    ? Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, texts(values)]))
    : undefined;
  const uid = text('uid');
  return { name: text('username'), groups: texts(user.groups), ...(uid && { uid }), ...(extra && { extra }) };
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
