import { reviewToken, selfSubjectReview } from '../auth/authentication/review.js';
import { type AccessReviewKind, reviewAccess, reviewRules } from '../auth/authorization/access-review.js';
import { requestToken } from '../auth/tokens/request.js';
import { isJsonObject, type KubeObject } from '../machinery/json.js';
import { computedEndpoint } from '../registry/computed-endpoint.js';
import type { LocalClient } from '../registry/local-client.js';
import type { EndpointFactories } from '../registry/served.js';
import type { Access } from './access.js';

/** Token and access reviews, and the tokens of service accounts. `access` is asked when a request comes. */
export function reviewEndpoints(access: () => Access, client: LocalClient): EndpointFactories {
  const accessReview = (kind: AccessReviewKind): EndpointFactories[string] => {
    return (source) =>
      computedEndpoint(source, async (ctx, object, _name, admit) => {
        await admit(object);
        const who = { user: ctx.user, namespace: ctx.namespace };
        return { value: await reviewAccess(kind, object, who, access().authorization.authorizer) };
      });
  };
  return {
    'authorization.k8s.io/subjectaccessreviews': accessReview('SubjectAccessReview'),
    'authorization.k8s.io/localsubjectaccessreviews': accessReview('LocalSubjectAccessReview'),
    'authorization.k8s.io/selfsubjectaccessreviews': accessReview('SelfSubjectAccessReview'),
    'authorization.k8s.io/selfsubjectrulesreviews': (source) =>
      computedEndpoint(source, async (ctx, object, _name, admit) => {
        await admit(object);
        return { value: reviewRules(object, ctx.user, access().authorization.rules) };
      }),
    'authentication.k8s.io/selfsubjectreviews': (source) =>
      computedEndpoint(source, async (ctx, object, _name, admit) => {
        await admit(object);
        return { value: selfSubjectReview(ctx.user, Date.now()) };
      }),
    'authentication.k8s.io/tokenreviews': (source) =>
      computedEndpoint(source, async (_ctx, object, _name, admit) => {
        await admit(object);
        const { authenticator, apiAudiences } = access().authentication;
        const status = await reviewToken(authenticator, apiAudiences, tokenSpec(object));
        return { value: { ...object, status } };
      }),
    '/serviceaccounts/token': (source) =>
      computedEndpoint(source, async (ctx, object, name, admit) => {
        const { tokenIssuer, apiAudiences, maxTokenExpiration, extendTokenExpiration } = access().authentication;
        const options = {
          objects: client,
          issuer: tokenIssuer,
          apiAudiences,
          maxExpiration: maxTokenExpiration,
          extendExpiration: extendTokenExpiration,
          now: Date.now,
        };
        const result = await requestToken(options, { namespace: ctx.namespace, name }, object, admit);
        for (const text of result.warnings) ctx.warn(text);
        for (const [key, value] of Object.entries(result.annotations)) ctx.annotate(key, value);
        return { value: result.object };
      }),
  };
}

function tokenSpec(object: KubeObject): { token: string; audiences?: string[] } {
  const spec = isJsonObject(object.spec) ? object.spec : {};
  const token = typeof spec.token === 'string' ? spec.token : '';
  return Array.isArray(spec.audiences) ? { token, audiences: spec.audiences.map(String) } : { token };
}
