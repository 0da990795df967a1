import type { ControlPlane } from '../../src/index.js';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export const ADMIN: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

export interface Answer {
  readonly code: number;
  readonly body: Record<string, unknown>;
  /** Texts of Warning headers. */
  readonly warnings: readonly string[];
}

export type Ask = (method: string, path: string, body?: object, user?: User) => Promise<Answer>;

/** Asks a control plane without a socket; a PATCH is a JSON merge patch. */
export function asking(controlPlane: () => ControlPlane): Ask {
  return async (method, path, body, user = ADMIN) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await controlPlane().inject({
      method,
      path,
      user,
      headers: { 'content-type': type },
      ...(body && { body: JSON.stringify(body) }),
    });
    return {
      code: answer.status,
      body: await answer.json<Record<string, unknown>>(),
      warnings: [answer.headers.warning ?? answer.headers.Warning ?? []].flat().map(String),
    };
  };
}
