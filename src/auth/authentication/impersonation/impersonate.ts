import { internalError } from '../../../machinery/errors.js';
import type { Attributes, Authorizer, HeaderValues, UserInfo } from '../../contract.js';
import { parseImpersonation } from './headers.js';
import { checkWith, constrainedModes, type ImpersonationMode, legacyMode } from './modes.js';

export interface Impersonated {
  /** Whom the request acts as from here on. */
  readonly user: UserInfo;
  /** `impersonate:<mode>` when a constrained mode allowed it, '' otherwise; for the audit record. */
  readonly constraint: string;
}

export interface ImpersonatorOptions {
  readonly authorizer: Authorizer;
  /** Gate ConstrainedImpersonation: beta and on in 1.36. */
  readonly constrained: boolean;
}

/**
 * Gives the user to act as when the headers ask for one, undefined when they do not. `request` is what the client, its
 * user, wants to do. Rejects with a StatusError: 400 for headers without a user name, 403 when a right is missing.
 */
export type Impersonator = (headers: HeaderValues, request: Attributes) => Promise<Impersonated | undefined>;

const MAX_REMEMBERED = 10_000;

/**
 * Modes are tried in their order, and the first one that allows the request decides; the error is that of the first one
 * that refused. The mode that last allowed a user something is asked first, for its cost and for its error.
 */
export function createImpersonator({ authorizer, constrained }: ImpersonatorOptions): Impersonator {
  const modes: readonly ImpersonationMode[] = constrained ? [...constrainedModes, legacyMode] : [legacyMode];
  const check = checkWith(authorizer);
  const lastMode = new Map<string, ImpersonationMode>();

  return async (headers, request) => {
    const wanted = parseImpersonation(headers);
    if (!wanted) return undefined;
    const requestor = request.user;
    const known = lastMode.get(requestor.name);
    let first: unknown;
    for (const mode of known ? [known, ...modes.filter((m) => m !== known)] : modes) {
      if (!mode.applies(wanted, requestor)) continue;
      try {
        const user = await mode.check(wanted, request, check);
        lastMode.delete(requestor.name);
        if (lastMode.size >= MAX_REMEMBERED) lastMode.delete(lastMode.keys().next().value!);
        lastMode.set(requestor.name, mode);
        return { user, constraint: mode === legacyMode ? '' : `impersonate:${mode.name}` };
      } catch (e) {
        first ??= e;
      }
    }
    throw first ?? internalError('all impersonation modes failed');
  };
}
