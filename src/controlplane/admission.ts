import { setTimeout } from 'node:timers/promises';
import { AdmissionChain, enabledPlugins } from '../admission/chain.js';
import type { AdmissionPlugin } from '../admission/contract.js';
import { certificateApproval } from '../admission/plugins/certificate-approval.js';
import { certificateSigning } from '../admission/plugins/certificate-signing.js';
import { certificateSubjectRestriction } from '../admission/plugins/certificate-subject-restriction.js';
import { clusterTrustBundleAttest } from '../admission/plugins/cluster-trust-bundle-attest.js';
import { defaultIngressClass } from '../admission/plugins/default-ingress-class.js';
import { defaultStorageClass } from '../admission/plugins/default-storage-class.js';
import { defaultTolerationSeconds } from '../admission/plugins/default-toleration-seconds.js';
import { jobValidation } from '../admission/plugins/job-validation.js';
import { limitRanger } from '../admission/plugins/limit-ranger.js';
import { MutatingPolicies } from '../admission/plugins/mutating-policy.js';
import { MutatingWebhook } from '../admission/plugins/mutating-webhook.js';
import { namespaceLifecycle } from '../admission/plugins/namespace-lifecycle.js';
import { nodeDeclaredFeatureValidator } from '../admission/plugins/node-declared-feature-validator.js';
import { NodeRestriction } from '../admission/plugins/node-restriction.js';
import { persistentVolumeClaimResize } from '../admission/plugins/persistent-volume-claim-resize.js';
import { podGroupProtection } from '../admission/plugins/pod-group-protection.js';
import { podGroupWorkloadExists } from '../admission/plugins/pod-group-workload-exists.js';
import { podResizeValidator } from '../admission/plugins/pod-resize-validator.js';
import { DEFAULT_CONFIGURATION } from '../admission/plugins/pod-security/configuration.js';
import { podSecurity } from '../admission/plugins/pod-security/pod-security.js';
import { podTopologyLabels } from '../admission/plugins/pod-topology-labels.js';
import { priority } from '../admission/plugins/priority.js';
import { QuotaRegistry } from '../admission/plugins/resource-quota/registry.js';
import { Reservations } from '../admission/plugins/resource-quota/reservations.js';
import { ResourceQuota } from '../admission/plugins/resource-quota/resource-quota.js';
import { runtimeClass } from '../admission/plugins/runtime-class.js';
import { serviceAccount } from '../admission/plugins/service-account.js';
import { storageObjectInUseProtection } from '../admission/plugins/storage-object-in-use-protection.js';
import { taintNodesByCondition } from '../admission/plugins/taint-nodes-by-condition.js';
import { ValidatingPolicies } from '../admission/plugins/validating-policy.js';
import { ValidatingWebhook } from '../admission/plugins/validating-webhook.js';
import type { WebhookClient } from '../admission/webhook/client/client.js';
import type { Authorizer } from '../auth/contract.js';
import { AdmittedVersions } from '../registry/admitted-versions.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import { paramSource } from '../registry/param-source.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { ControlPlaneOptions } from './options.js';

export interface AdmissionParts {
  readonly options: ControlPlaneOptions;
  readonly env: Environment;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly webhooks: WebhookClient;
  readonly quota: QuotaParts;
  /** Plugins that ask what a user may do. */
  readonly authorizer: Authorizer;
}

type Make = (parts: AdmissionParts & { readonly dynamic: DynamicAdmission }) => AdmissionPlugin;

/** How each plugin is made. */
const PLUGINS: Readonly<Record<string, Make>> = {
  NamespaceLifecycle: ({ client }) =>
    namespaceLifecycle((name) => client.get({ group: '', resource: 'namespaces' }, '', name)),
  LimitRanger: ({ client, env }) => limitRanger({ objects: client, gate: env.gate }),
  ServiceAccount: ({ client, env }) =>
    serviceAccount({ objects: client, nameSuffix: env.nameSuffix, pause: setTimeout }),
  NodeRestriction: ({ client, authorizer, env }) =>
    new NodeRestriction({ objects: client, authorizer, gate: env.gate }),
  PodSecurity: ({ client }) =>
    podSecurity({ objects: client, configuration: DEFAULT_CONFIGURATION, now: () => performance.now() }),
  TaintNodesByCondition: taintNodesByCondition,
  Priority: ({ client, env }) => priority({ objects: client, gate: env.gate }),
  DefaultTolerationSeconds: ({ options }) =>
    defaultTolerationSeconds({
      notReady: options.defaultNotReadyTolerationSeconds,
      unreachable: options.defaultUnreachableTolerationSeconds,
    }),
  DefaultStorageClass: ({ client }) => defaultStorageClass(client),
  StorageObjectInUseProtection: storageObjectInUseProtection,
  PodGroupProtection: ({ env }) => podGroupProtection(env.gate),
  PersistentVolumeClaimResize: ({ client }) => persistentVolumeClaimResize(client),
  RuntimeClass: ({ client }) => runtimeClass(client),
  CertificateApproval: ({ authorizer }) => certificateApproval(authorizer),
  CertificateSigning: ({ authorizer }) => certificateSigning(authorizer),
  ClusterTrustBundleAttest: ({ authorizer, env }) => clusterTrustBundleAttest({ authorizer, gate: env.gate }),
  CertificateSubjectRestriction: certificateSubjectRestriction,
  DefaultIngressClass: ({ client }) => defaultIngressClass(client),
  PodTopologyLabels: ({ client, env }) => podTopologyLabels({ objects: client, gate: env.gate }),
  PodGroupWorkloadExists: ({ client, env }) => podGroupWorkloadExists({ objects: client, gate: env.gate }),
  NodeDeclaredFeatureValidator: ({ client, env }) => nodeDeclaredFeatureValidator({ objects: client, gate: env.gate }),
  JobValidation: ({ client, env }) => jobValidation({ objects: client, gate: env.gate }),
  PodResizeValidator: ({ client }) => podResizeValidator(client),
  ResourceQuota: ({ client, quota }) => new ResourceQuota({ objects: client, ...quota, limited: [] }),
  MutatingAdmissionPolicy: ({ dynamic }) => new MutatingPolicies(dynamic),
  MutatingAdmissionWebhook: ({ dynamic }) => new MutatingWebhook(dynamic),
  ValidatingAdmissionPolicy: ({ dynamic }) => new ValidatingPolicies(dynamic),
  ValidatingAdmissionWebhook: ({ dynamic }) => new ValidatingWebhook(dynamic),
};

/** What admission and the loop that counts usage know in common. */
export interface QuotaParts {
  readonly registry: QuotaRegistry;
  readonly reservations: Reservations;
}

export function quotaParts(client: LocalClient, { gate, now }: Environment): QuotaParts {
  return {
    registry: new QuotaRegistry({ objects: client, gate, now }),
    reservations: new Reservations(() => performance.now()),
  };
}

/** What plugins that are configured by API objects share. */
type DynamicAdmission = ReturnType<typeof dynamicAdmission>;

function dynamicAdmission({ client, table, webhooks, env, authorizer }: AdmissionParts) {
  return {
    feed: client,
    versions: new AdmittedVersions(table),
    namespaceOf: (name: string) => client.get({ group: '', resource: 'namespaces' }, '', name),
    authorizer,
    params: paramSource(table),
    client: webhooks,
    uuid: env.uuid,
  };
}

/** The chain of the plugins that are on. */
export function openAdmission(parts: AdmissionParts): AdmissionChain {
  const { enableAdmissionPlugins = [], disableAdmissionPlugins = [] } = parts.options;
  const on = enabledPlugins(enableAdmissionPlugins, disableAdmissionPlugins);
  const dynamic = dynamicAdmission(parts);
  return new AdmissionChain(
    Object.entries(PLUGINS)
      .filter(([name]) => on.has(name))
      .map(([, make]) => make({ ...parts, dynamic })),
  );
}
