import { readFileSync } from 'node:fs';
import { anonymousAuthenticator } from '../auth/authentication/anonymous.js';
import { bearerAuthenticator } from '../auth/authentication/bearer.js';
import { groupAdder } from '../auth/authentication/group-adder.js';
import { tokenFileAuthenticator } from '../auth/authentication/token-file.js';
import { requestUnion, tokenUnion } from '../auth/authentication/union.js';
import { privilegedGroup } from '../auth/authorization/builtin.js';
import { RbacAuthorizer } from '../auth/authorization/rbac/authorizer.js';
import { RbacIndex } from '../auth/authorization/rbac/rbac-index.js';
import { unionAuthorizer } from '../auth/authorization/union.js';
import type { Authorizer, RequestAuthenticator } from '../auth/contract.js';
import type { Material } from '../auth/pki/material.js';
import type { LocalClient } from '../registry/local-client.js';
import type { FlowControl } from '../server/flowcontrol/contract.js';
import type { RequestPathParts } from '../server/request-path.js';
import type { ControlPlaneOptions } from './options.js';

export interface Access {
  readonly authenticator: RequestAuthenticator;
  readonly authorizer: Authorizer;
  readonly flowControl: FlowControl;
  readonly impersonate: RequestPathParts['impersonate'];
}

/** Who may come in and what they may do. */
export async function openAccess(
  options: ControlPlaneOptions,
  _material: Material,
  client: LocalClient,
): Promise<Access> {
  const tokens = options.tokenAuthFile
    ? [tokenFileAuthenticator(options.tokenAuthFile, readFileSync(options.tokenAuthFile, 'utf8'), () => {})]
    : [];
  const authenticator = requestUnion([groupAdder(bearerAuthenticator(tokenUnion(tokens))), anonymousAuthenticator([])]);
  const index = new RbacIndex();
  await index.follow(client);
  return {
    authenticator,
    authorizer: unionAuthorizer([privilegedGroup, new RbacAuthorizer(index)]),
    flowControl: {
      enter: () => ({ flowSchemaUID: undefined, priorityLevelUID: undefined, initialized() {}, release() {} }),
      close() {},
    },
    impersonate: () => {
      throw new Error('impersonation');
    },
  };
}
