/**
 * Why credentials were not accepted. Joins the reasons of several authenticators as kube-apiserver prints them: one alone,
 * several in brackets, the same one once. Goes to the log and into the status of a TokenReview; never holds credentials.
 */
export class AuthenticationError extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    const unique = [...new Set(reasons)];
    super(unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`);
    this.name = 'AuthenticationError';
    this.reasons = unique;
  }
}

/** The reasons behind anything that was thrown. */
export function reasonsOf(error: unknown): readonly string[] {
  if (error instanceof AuthenticationError) return error.reasons;
  return [error instanceof Error ? error.message : String(error)];
}

export const refused = (reason: string): AuthenticationError => new AuthenticationError([reason]);
