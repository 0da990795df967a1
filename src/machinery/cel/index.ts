// CEL as Kubernetes 1.36 has it. Start with an environment of kubernetes/environments.ts, compile() an expression in
// it, and eval() the program with plain JSON values.
export { type Compiled, compile } from './compile.js';
export { Environment, type Library, type ObjectTypes } from './environment.js';
export {
  authorizerValues,
  type CheckAttributes,
  type CheckAuthorizer,
  type CheckDecision,
  type CheckUser,
} from './kubernetes/authorizer.js';
export {
  type AdmissionVariables,
  AUTHORIZATION_ENVIRONMENT,
  admissionEnvironment,
  BASE_ENVIRONMENT,
  CLAIMS_ENVIRONMENT,
  DEVICE,
  deviceEnvironment,
  objectDecl,
  ruleEnvironment,
  USER_ENVIRONMENT,
  VariableTypes,
} from './kubernetes/environments.js';
export { escapeFieldName } from './kubernetes/field-names.js';
export { LIMITS } from './kubernetes/limits.js';
export { JsonPatchValue, ObjectValue } from './kubernetes/mutation.js';
export { QuantityValue } from './kubernetes/quantity.js';
export { type CelSchema, MAX_REQUEST_BYTES, maxCardinality, schemaType } from './kubernetes/schema.js';
export { SEMVER, SemverValue } from './kubernetes/semver.js';
export { toJson } from './kubernetes/to-json.js';
export { type EvalError, type EvalOptions, type EvalResult, evalAsync, Program } from './program/program.js';
export type { Issue } from './syntax/issues.js';
export type { DeclField, DeclType } from './types/decl-type.js';
export * as types from './types/type.js';
export { LazyObject, OpaqueValue, Optional } from './values/containers.js';
export { CelError } from './values/error.js';
export { Duration, Timestamp } from './values/time.js';
