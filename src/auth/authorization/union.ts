import type { Attributes, Authorizer, Decision, UserInfo } from '../contract.js';
import type { RuleResolver, UserRules } from './contract.js';

/**
 * Asks authorizers in order until one allows or denies. When none has an opinion, their reasons and errors are joined:
 * that is what the client is told.
 */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return { name: 'union', authorize: (attributes) => ask(authorizers, 0, attributes, [], []) };
}

/** Stays synchronous as long as the authorizers are. */
function ask(
  authorizers: readonly Authorizer[],
  from: number,
  attributes: Attributes,
  reasons: string[],
  errors: string[],
): Decision | Promise<Decision> {
  for (let i = from; i < authorizers.length; i++) {
    const answer = authorizers[i]!.authorize(attributes);
    if (answer instanceof Promise) {
      return answer.then((d) => settled(d, reasons, errors) ?? ask(authorizers, i + 1, attributes, reasons, errors));
    }
    const decision = settled(answer, reasons, errors);
    if (decision) return decision;
  }
  const decision: Decision = { verdict: 'NoOpinion', reason: reasons.join('\n') };
  return errors.length > 0 ? { ...decision, error: aggregate(errors) } : decision;
}

function settled(decision: Decision, reasons: string[], errors: string[]): Decision | undefined {
  if (decision.verdict !== 'NoOpinion') return decision;
  if (decision.reason) reasons.push(decision.reason);
  if (decision.error) errors.push(decision.error);
  return undefined;
}

/** Everything the resolvers know, one after the other. */
export function unionRules(resolvers: readonly RuleResolver[]): RuleResolver {
  return {
    rulesFor(user: UserInfo, namespace: string): UserRules {
      const all = resolvers.map((r) => r.rulesFor(user, namespace));
      return {
        resourceRules: all.flatMap((r) => r.resourceRules),
        nonResourceRules: all.flatMap((r) => r.nonResourceRules),
        incomplete: all.some((r) => r.incomplete),
        errors: all.flatMap((r) => r.errors),
      };
    },
  };
}

/** Several messages as one: alone, or in brackets, each once. */
export function aggregate(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}
